"""The ledger: entries, their keys, totals and corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "totals",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "donation",
                "refund",
                "chargeback",
                "match",
                "fee",
                "payout",
                "disbursement",
                "expense",
                name="entry_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("donations", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_totals_listing_id_listings")
        ),
        sa.PrimaryKeyConstraint(
            "listing_id", "day", "kind", "currency", "slot", name=op.f("pk_totals")
        ),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "donation",
                "refund",
                "chargeback",
                "match",
                "fee",
                "payout",
                "disbursement",
                "expense",
                name="entry_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "stage",
            sa.Enum(
                "announced",
                "confirmed",
                "received",
                name="match_stage",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("donations", sa.Integer(), nullable=False),
        sa.Column(
            "campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "door",
            sa.Enum(
                "webhook",
                "file",
                "hand",
                name="door",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reverses", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("regards", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.CheckConstraint("(kind = 'match') = (stage IS NOT NULL)", name=op.f("ck_entries_stage")),
        sa.CheckConstraint(
            "listing_id IS NOT NULL OR kind IN ('payout', 'disbursement', 'expense', 'fee')",
            name=op.f("ck_entries_listed"),
        ),
        sa.CheckConstraint(
            "reverses IS NOT NULL OR (amount > 0) = (kind IN ('donation', 'match', 'payout'))",
            name=op.f("ck_entries_sign"),
        ),
        sa.CheckConstraint("source <> ''", name=op.f("ck_entries_source")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_entries_amount")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_entries_currency")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_entries_campaign_id_campaigns")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id", "campaign_id"],
            ["listings.id", "listings.campaign_id"],
            name=op.f("fk_entries_listing_id_campaign_id_listings"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_entries_listing_id_listings")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_entries_notice_id_notices")
        ),
        sa.ForeignKeyConstraint(
            ["reverses"], ["entries.id"], name=op.f("fk_entries_reverses_entries")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_entries_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("reverses", name=op.f("uq_entries_reverses")),
    )
    op.create_index("ix_entries_campaign_booked", "entries", ["campaign_id", "id"], unique=False)
    op.create_index(
        "ix_entries_listing_occurred", "entries", ["listing_id", "occurred_at"], unique=False
    )
    op.create_index(op.f("ix_entries_notice_id"), "entries", ["notice_id"], unique=False)
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "reversal",
                "verdict",
                "rule",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_corrections_reasoned")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_corrections_entry_id_entries")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_corrections_listing_id_listings")
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_corrections_report_id_reports")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_corrections_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_listing_at", "corrections", ["listing_id", "at"], unique=False)
    op.create_table(
        "entry_keys",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_entry_keys_entry_id_entries")
        ),
        sa.PrimaryKeyConstraint("source", "scheme", "value", name=op.f("pk_entry_keys")),
    )
    op.create_index(op.f("ix_entry_keys_entry_id"), "entry_keys", ["entry_id"], unique=False)


def downgrade() -> None:
    op.drop_table("entry_keys")
    op.drop_table("corrections")
    op.drop_table("entries")
    op.drop_table("totals")
