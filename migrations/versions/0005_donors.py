"""Donors and their gifts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "donors",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "merged_into", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "address IS NULL OR address_hash IS NOT NULL", name=op.f("ck_donors_address_hashed")
        ),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_donors_not_merged_into_itself")),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["donors.id"], name=op.f("fk_donors_merged_into_donors")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_donors")),
        sa.UniqueConstraint("address_hash", name=op.f("uq_donors_address_hash")),
    )
    op.create_index(op.f("ix_donors_merged_into"), "donors", ["merged_into"], unique=False)
    op.create_table(
        "gifts",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("donor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("public_name", sa.String(length=200), nullable=True),
        sa.Column("show_name", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=True),
        sa.Column(
            "moderation",
            sa.Enum(
                "waiting",
                "shown",
                "hidden",
                name="moderation",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["donor_id"], ["donors.id"], name=op.f("fk_gifts_donor_id_donors")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_gifts_entry_id_entries")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_gifts")),
    )
    op.create_index(op.f("ix_gifts_donor_id"), "gifts", ["donor_id"], unique=False)
    op.create_index("ix_gifts_moderation", "gifts", ["moderation"], unique=False)


def downgrade() -> None:
    op.drop_table("gifts")
    op.drop_table("donors")
