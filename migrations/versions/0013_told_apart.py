"""Donors who look alike and are two people, as staff said."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "told_apart",
        sa.Column("donor_id", whole, nullable=False),
        sa.Column("other_id", whole, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", whole, nullable=True),
        sa.CheckConstraint("donor_id < other_id", name=op.f("ck_told_apart_older_first")),
        sa.ForeignKeyConstraint(
            ["donor_id"], ["donors.id"], name=op.f("fk_told_apart_donor_id_donors")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["donors.id"], name=op.f("fk_told_apart_other_id_donors")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_told_apart_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("donor_id", "other_id", name=op.f("pk_told_apart")),
    )
    op.create_index(op.f("ix_told_apart_other_id"), "told_apart", ["other_id"])


def downgrade() -> None:
    op.drop_table("told_apart")
