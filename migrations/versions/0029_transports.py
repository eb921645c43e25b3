"""Several relays, and limits for them and for recipients' domains."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

PERIODS = ("second", "minute", "hour", "day")


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "transports",
        sa.Column("id", whole, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("rests_until", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        *_limits("transports"),
        sa.CheckConstraint("rank > 0", name=op.f("ck_transports_rank")),
        sa.CheckConstraint("share > 0", name=op.f("ck_transports_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transports")),
        sa.UniqueConstraint("name", name=op.f("uq_transports_name")),
    )
    op.create_table(
        "mail_domains",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("gap_ms", sa.Integer(), nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.Column("slowed_at", moment, nullable=True),
        *_limits("mail_domains"),
        sa.CheckConstraint("gap_ms >= 0", name=op.f("ck_mail_domains_gap_ms")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mail_domains")),
    )
    op.create_table(
        "draws",
        sa.Column("scope", sa.String(length=300), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("scope", "period", "slot", name=op.f("pk_draws")),
    )
    op.create_index("ix_draws_until", "draws", ["until"], unique=False)


def _limits(table: str) -> list[sa.schema.SchemaItem]:
    columns = [sa.Column(f"per_{period}", sa.Integer(), nullable=True) for period in PERIODS]
    sensible = [
        sa.CheckConstraint(f"per_{period} > 0", name=op.f(f"ck_{table}_per_{period}"))
        for period in PERIODS
    ]
    return [*columns, *sensible]


def downgrade() -> None:
    op.drop_table("draws")
    op.drop_table("mail_domains")
    op.drop_table("transports")
