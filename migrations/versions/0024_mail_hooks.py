"""Where providers tell what became of letters."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mail_hooks",
        sa.Column("id", whole, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_hooks")),
        sa.UniqueConstraint("name", name=op.f("uq_mail_hooks_name")),
    )
    op.create_table(
        "used_tokens",
        sa.Column("hook_id", whole, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["hook_id"],
            ["mail_hooks.id"],
            name=op.f("fk_used_tokens_hook_id_mail_hooks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hook_id", "token_hash", name=op.f("pk_used_tokens")),
    )
    op.create_index("ix_used_tokens_at", "used_tokens", ["at"], unique=False)


def downgrade() -> None:
    op.drop_table("used_tokens")
    op.drop_table("mail_hooks")
