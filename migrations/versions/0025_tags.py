"""Where donors live, and the tags that staff keep beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("donors", sa.Column("place", sa.String(120)))
    op.create_table(
        "donor_tags",
        sa.Column("donor_id", ID, nullable=False),
        sa.Column("tag", sa.String(40), nullable=False),
        sa.CheckConstraint("tag <> ''", name="ck_donor_tags_tag"),
        sa.ForeignKeyConstraint(
            ["donor_id"], ["donors.id"], name="fk_donor_tags_donor_id_donors", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("donor_id", "tag", name="pk_donor_tags"),
    )
    op.create_index("ix_donor_tags_tag", "donor_tags", ["tag", "donor_id"])


def downgrade() -> None:
    op.drop_table("donor_tags")
    op.drop_column("donors", "place")
