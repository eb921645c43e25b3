"""The matches of a campaign, found among the millions of its donations."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    only = sa.text("kind = 'match'")
    op.create_index(
        "ix_entries_matches", "entries", ["campaign_id"], sqlite_where=only, postgresql_where=only
    )


def downgrade() -> None:
    op.drop_index("ix_entries_matches", "entries")
