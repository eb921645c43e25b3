"""Turns at a host that are of no listing: somebody tries out how a page could be read."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create(nullable=True)


def downgrade() -> None:
    _create(nullable=False)


def _create(*, nullable: bool) -> None:
    """SQLite changes no column. What the table holds counts for a minute, so it begins anew."""
    op.drop_table("turns")
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "turns",
        sa.Column("id", big, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("listing_id", big, nullable=nullable),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings.id"],
            name=op.f("fk_turns_listing_id_listings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
    )
    op.create_index("ix_turns_host_at", "turns", ["host", "at"])
    op.create_index("ix_turns_listing_id", "turns", ["listing_id"])
