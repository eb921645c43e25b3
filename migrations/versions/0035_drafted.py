"""What the system drafted, once for each occasion."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "drafted",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("occasion", sa.String(24), nullable=False),
        sa.Column("number", ID, nullable=False),
        sa.Column("update_id", ID),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("reminded", sa.Integer()),
        sa.Column("set_aside_at", MOMENT),
        sa.Column("set_aside_by", ID),
        sa.CheckConstraint(
            "occasion IN ('milestone', 'report', 'closing')", name="ck_drafted_occasion"
        ),
        sa.CheckConstraint("number >= 0", name="ck_drafted_number"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_drafted_campaign_id_campaigns"
        ),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"], name="fk_drafted_update_id_updates"),
        sa.ForeignKeyConstraint(
            ["set_aside_by"], ["staff.id"], name="fk_drafted_set_aside_by_staff"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drafted"),
        sa.UniqueConstraint(
            "campaign_id", "occasion", "number", name="uq_drafted_campaign_id_occasion_number"
        ),
    )
    op.create_index("ix_drafted_update_id", "drafted", ["update_id"])


def downgrade() -> None:
    op.drop_table("drafted")
