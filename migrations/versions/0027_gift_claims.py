"""Claims of gifts by their givers."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gift_claims",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("donor_id", ID, nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("entry_id", ID),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("worded_at", MOMENT),
        sa.Column("released_at", MOMENT),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (entry_id IS NULL)", name="ck_gift_claims_confirmed"
        ),
        sa.CheckConstraint(
            "released_at IS NULL OR confirmed_at IS NOT NULL", name="ck_gift_claims_released"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_gift_claims_campaign_id_campaigns"
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name="fk_gift_claims_donor_id_donors"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_gift_claims_entry_id_entries"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gift_claims"),
    )
    op.create_index("ix_gift_claims_donor_id", "gift_claims", ["donor_id"])
    op.create_index("ix_gift_claims_entry_id", "gift_claims", ["entry_id"])


def downgrade() -> None:
    op.drop_table("gift_claims")
