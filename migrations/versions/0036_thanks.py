"""How gifts are thanked for, and which letter names a gift beside others of its day."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# column, type, default, name of its check, check
RULES = (
    ("thanks", "VARCHAR(24)", "'at_once'", "thanks_rule",
     "thanks IN ('at_once', 'gathered', 'none')"),
    ("thanks_at", "INTEGER", "1080", "thanks_at", "thanks_at BETWEEN 0 AND 1439"),
    ("thanks_from", "BIGINT", "0", "thanks_from", "thanks_from >= 0"),
    ("thanks_currency", "VARCHAR(3)", "'CNY'", "thanks_currency", "length(thanks_currency) = 3"),
)  # fmt: skip


def upgrade() -> None:
    for column, kind, default, name, check in RULES:
        # The check as the column's own, which SQLite can add to a table and drop again.
        op.execute(
            f"ALTER TABLE organisations ADD COLUMN {column} {kind} DEFAULT {default} NOT NULL "
            f"CONSTRAINT ck_organisations_{name} CHECK ({check})"
        )
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE gifts ADD COLUMN thanks_id {number} "
        "CONSTRAINT fk_gifts_thanks_id_deliveries REFERENCES deliveries (id)"
    )
    named = sa.text("thanks_id IS NOT NULL")
    op.create_index(
        "ix_gifts_thanks_id", "gifts", ["thanks_id"], sqlite_where=named, postgresql_where=named
    )


def downgrade() -> None:
    op.drop_index("ix_gifts_thanks_id", "gifts")
    op.drop_column("gifts", "thanks_id")
    for column, *_rest in RULES:
        op.drop_column("organisations", column)
