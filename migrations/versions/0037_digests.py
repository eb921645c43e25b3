"""Who gets one letter a month instead of each, and what that letter tells."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
LETTERS = "mailing thanks confirm reset alert test".split()


def upgrade() -> None:
    op.add_column(
        "donors", sa.Column("monthly", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "digests",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("length(month) = 7", name="ck_digests_month"),
        sa.PrimaryKeyConstraint("month", name="pk_digests"),
    )
    _figures()
    _items()
    _allow([*LETTERS, "digest"])


def downgrade() -> None:
    op.drop_table("digest_items")
    op.drop_table("digest_figures")
    op.drop_table("digests")
    # Nothing is left of which they could be composed.
    op.execute(
        "UPDATE deliveries SET state = 'cancelled', claimed_by = NULL WHERE letter = 'digest' "
        "AND state IN ('queued', 'sending', 'deferred')"
    )
    op.execute("UPDATE deliveries SET letter = 'confirm' WHERE letter = 'digest'")
    _allow(LETTERS)
    op.drop_column("donors", "monthly")


def _figures() -> None:
    op.create_table(
        "digest_figures",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["month"],
            ["digests.month"],
            name="fk_digest_figures_month_digests",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_digest_figures_campaign_id_campaigns"
        ),
        sa.PrimaryKeyConstraint("month", "campaign_id", "locale", name="pk_digest_figures"),
    )


def _items() -> None:
    one = [("donor_id", "donors"), ("update_id", "updates"), ("mailing_id", "mailings")]
    keys = [*one, ("delivery_id", "deliveries")]
    op.create_table(
        "digest_items",
        *(sa.Column(name, ID, nullable=name == "delivery_id") for name, _ in keys),
        *(
            sa.ForeignKeyConstraint([name], [f"{of}.id"], name=f"fk_digest_items_{name}_{of}")
            for name, of in keys
        ),
        sa.PrimaryKeyConstraint("donor_id", "update_id", name="pk_digest_items"),
    )
    op.create_index("ix_digest_items_mailing_id", "digest_items", ["mailing_id"])
    op.create_index("ix_digest_items_delivery_donor", "digest_items", ["delivery_id", "donor_id"])


def _allow(letters: list[str]) -> None:
    allowed = f"letter IN ({', '.join(map(repr, letters))})"
    if op.get_bind().dialect.name == "sqlite":
        _rewrite("deliveries", r"letter IN \([^()]*\)", allowed)
        return
    op.drop_constraint("ck_deliveries_letter_kind", "deliveries")
    op.create_check_constraint(op.f("ck_deliveries_letter_kind"), "deliveries", allowed)


def _rewrite(table: str, old: str, new: str) -> None:
    """Change a constraint in the stored text of a table, as 0009 does and says why."""
    bind = op.get_bind()
    stored = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
    plain = " ".join(bind.scalar(sa.text(stored), {"table": table}).split())
    if not re.search(old, plain):
        raise LookupError(f"The table {table} does not have the constraint {old}.")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = "UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"
    bind.execute(sa.text(changed), {"sql": re.sub(old, new, plain, count=1), "table": table})
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")
