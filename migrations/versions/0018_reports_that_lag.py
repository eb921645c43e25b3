"""Which reports were less than their page showed with what had been booked."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lags = sa.Column("lags", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("reports", lags)


def downgrade() -> None:
    op.drop_column("reports", "lags")
