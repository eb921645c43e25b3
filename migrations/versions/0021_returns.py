"""What comes back for letters, what came that is of none, and how many soft bounces are allowed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MEANINGS = "hard soft policy complaint delayed delivered auto_reply not_understood".split()
# column, default, least, most
LIMITS = (("soft_limit", 3, 1, 20), ("soft_days", 30, 1, 365))


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "returns",
        sa.Column("id", whole, nullable=False),
        sa.Column("delivery_id", whole, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("door", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "meaning",
            sa.Enum(
                *MEANINGS, name="meaning", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_returns_delivery_id_deliveries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("delivery_id", "key", name=op.f("uq_returns_delivery_id_key")),
    )
    op.create_index("ix_returns_meaning", "returns", ["meaning", "at"], unique=False)
    op.create_table(
        "strays",
        sa.Column("door", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("door", "reason", name=op.f("pk_strays")),
    )
    for column, default, least, most in LIMITS:
        # The check as the column's own, which SQLite can add to a table and drop again.
        op.execute(
            f"ALTER TABLE organisations ADD COLUMN {column} INTEGER DEFAULT {default} NOT NULL "
            f"CONSTRAINT ck_organisations_{column} CHECK ({column} BETWEEN {least} AND {most})"
        )
    _guard()


def downgrade() -> None:
    for column, *_rest in LIMITS:
        op.drop_column("organisations", column)
    op.drop_table("strays")
    op.drop_table("returns")


def _guard() -> None:
    """Triggers as 0007 lays them: what came back is never changed. They go with their table."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER returns_no_{verb} BEFORE {verb.upper()} ON returns "
                "BEGIN SELECT RAISE(ABORT, 'returns is append-only'); END"
            )
        return
    for verb in ("update", "delete", "truncate"):
        each = "STATEMENT" if verb == "truncate" else "ROW"
        op.execute(
            f"CREATE TRIGGER returns_no_{verb} BEFORE {verb.upper()} ON returns "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
