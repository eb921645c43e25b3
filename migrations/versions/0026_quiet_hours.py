"""When nobody is written to, and mailings that go at an hour of each donor's own zone."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# column, type, default, check
QUIET = (
    ("quiet_from", "INTEGER", "1260", "quiet_from BETWEEN 0 AND 1439"),
    ("quiet_until", "INTEGER", "480", "quiet_until BETWEEN 0 AND 1439"),
    ("quiet_days", "VARCHAR(24)", "'holidays'", "quiet_days IN ('none', 'holidays', 'days_off')"),
)


def upgrade() -> None:
    for column, kind, default, check in QUIET:
        # The check as the column's own, which SQLite can add to a table and drop again.
        op.execute(
            f"ALTER TABLE organisations ADD COLUMN {column} {kind} DEFAULT {default} NOT NULL "
            f"CONSTRAINT ck_organisations_{column} CHECK ({check})"
        )
    op.add_column("mailings", sa.Column("local_time", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("mailings", "local_time")
    for column, *_rest in QUIET:
        op.drop_column("organisations", column)
