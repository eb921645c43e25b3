"""How listings are asked: their contract of freshness, manners towards hosts, and raw answers."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Whom the platforms of this release are asked at; others have a server of their own per listing.
HOSTS = {"tencent": "ssl.gongyi.qq.com", "alipay": "love.alipay.com"}
LISTINGS = (
    ("host", "VARCHAR(255) NOT NULL DEFAULT ''", None),
    ("way", "VARCHAR(32)", None),
    ("grace_seconds", "INTEGER NOT NULL DEFAULT 660", "grace_seconds >= 0"),
    ("zone", "VARCHAR(64)", None),
    ("opens_at", "INTEGER", "opens_at BETWEEN 0 AND 1439"),
    ("closes_at", "INTEGER", "closes_at BETWEEN 0 AND 1439"),
    ("asked_days_after", "INTEGER NOT NULL DEFAULT 30", "asked_days_after >= 0"),
    ("jump_factor", "INTEGER DEFAULT 10", "jump_factor >= 2"),
    ("told", "VARCHAR(16)", "told IN ('stale', 'broken', 'refused', 'due')"),
)


def upgrade() -> None:
    for name, kind, check in LISTINGS:
        held = f" CONSTRAINT ck_listings_{name} CHECK ({check})" if check else ""
        op.execute(f"ALTER TABLE listings ADD COLUMN {name} {kind}{held}")
    op.add_column("listings", sa.Column("how", sa.JSON(), nullable=True))
    op.add_column(
        "listings",
        sa.Column("accept_falls", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("ix_listings_host", "listings", ["host"])
    op.add_column("campaigns", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    _fill()
    _create_hosts()
    _create_answers()
    _create_festivals()


def downgrade() -> None:
    for table in ("festivals", "answers", "turns", "hosts"):
        op.drop_table(table)
    op.drop_column("campaigns", "ended_at")
    op.drop_index("ix_listings_host", "listings")
    for column in ("accept_falls", "how", *(name for name, *_ in reversed(LISTINGS))):
        op.drop_column("listings", column)


def _fill() -> None:
    """Whom each listing is asked at, and since when raising is over, as far as it is known."""
    bind = op.get_bind()
    for id, platform, external_id in bind.execute(
        sa.text("SELECT id, platform, external_id FROM listings")
    ).all():
        host = HOSTS.get(platform) or urlsplit(external_id).netloc
        bind.execute(
            sa.text("UPDATE listings SET host = :host WHERE id = :id"), {"host": host, "id": id}
        )
    op.execute("UPDATE campaigns SET ended_at = changed_at WHERE state IN ('ended', 'closed')")


def _create_hosts() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hosts",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False, server_default="8"),
        sa.Column("a_minute", sa.Integer(), nullable=False, server_default="240"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("at_once > 0", name=op.f("ck_hosts_at_once")),
        sa.CheckConstraint("a_minute > 0", name=op.f("ck_hosts_a_minute")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hosts")),
    )
    op.create_table(
        "turns",
        sa.Column("id", big, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("listing_id", big, nullable=False),
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


def _create_answers() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("id", big, nullable=False),
        sa.Column("listing_id", big, nullable=False),
        sa.Column("failure_id", big, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings.id"],
            name=op.f("fk_answers_listing_id_listings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["failure_id"],
            ["poll_failures.id"],
            name=op.f("fk_answers_failure_id_poll_failures"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("failure_id", name=op.f("uq_answers_failure_id")),
    )
    op.create_index("ix_answers_listing_at", "answers", ["listing_id", "at"])


def _create_festivals() -> None:
    op.create_table(
        "festivals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_seconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_festivals_span")),
        sa.CheckConstraint("period_seconds >= 10", name=op.f("ck_festivals_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_festivals")),
    )
