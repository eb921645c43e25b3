"""Notices: of several bodies under one event id, one is the event, by a unique key."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

FIRST = sa.text("contradicts IS NULL")


def upgrade() -> None:
    # Not by a batch: on SQLite that would drop the table, and with it bodies that cascade.
    bigint = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE notices ADD COLUMN contradicts {bigint} "
        "CONSTRAINT fk_notices_contradicts_notices REFERENCES notices (id)"
    )
    op.create_index(
        "uq_notices_event",
        "notices",
        ["endpoint_id", "event_id"],
        unique=True,
        sqlite_where=FIRST,
        postgresql_where=FIRST,
    )


def downgrade() -> None:
    op.drop_index("uq_notices_event", "notices")
    op.execute("ALTER TABLE notices DROP COLUMN contradicts")
