"""Let the next letters of a mailing be found in the order of their hour."""

from alembic import op

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_deliveries_mailing", table_name="deliveries")
    op.create_index("ix_deliveries_mailing", "deliveries", ["mailing_id", "state", "due_at"])


def downgrade() -> None:
    op.drop_index("ix_deliveries_mailing", table_name="deliveries")
    op.create_index("ix_deliveries_mailing", "deliveries", ["mailing_id", "state"])
