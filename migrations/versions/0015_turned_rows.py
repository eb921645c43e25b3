"""Rows of a file that the ledger contradicted while they were being booked."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_rows", sa.Column("turned_at", sa.DateTime(timezone=True)))
    only = sa.text("turned_at IS NOT NULL")
    op.create_index(
        "ix_import_rows_turned",
        "import_rows",
        ["import_id", "position"],
        sqlite_where=only,
        postgresql_where=only,
    )


def downgrade() -> None:
    op.drop_index("ix_import_rows_turned", "import_rows")
    op.drop_column("import_rows", "turned_at")
