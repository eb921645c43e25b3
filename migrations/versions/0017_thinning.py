"""How far the reports of each listing were thinned, and which of them corrections name."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = ("hourly_until", "daily_until")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("listings", sa.Column(name, sa.Date()))
    # Without it each report that is deleted would be looked for among all corrections.
    only = sa.text("report_id IS NOT NULL")
    op.create_index(
        "ix_corrections_report_id",
        "corrections",
        ["report_id"],
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    op.drop_index("ix_corrections_report_id", "corrections")
    for name in COLUMNS:
        op.drop_column("listings", name)
