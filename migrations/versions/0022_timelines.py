"""Which history the rows belong to, so that an older copy of the database is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "timelines",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("as_of", MOMENT),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("mailings", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("confirmed_by", ID),
        sa.CheckConstraint(
            "cause IN ('new', 'restored', 'put_back')", name="ck_timelines_timeline_cause"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_timelines"),
        sa.UniqueConstraint("name", name="uq_timelines_name"),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["staff.id"], name="fk_timelines_confirmed_by_staff"
        ),
    )


def downgrade() -> None:
    op.drop_table("timelines")
