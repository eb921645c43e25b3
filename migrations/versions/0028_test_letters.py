"""Letters to try a text out on oneself, and which kinds of letter say that they advertise."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = ("updates", "issues", "appeals")
LETTERS = "mailing thanks confirm reset alert".split()


def upgrade() -> None:
    _allow([*LETTERS, "test"])
    for kind in KINDS:
        op.add_column(
            "organisations",
            sa.Column(f"ad_{kind}", sa.Boolean(), nullable=False, server_default=sa.false()),
        )


def downgrade() -> None:
    # What stood in for a mailing to one colleague is a letter to staff still.
    op.execute("UPDATE deliveries SET letter = 'alert' WHERE letter = 'test'")
    _allow(LETTERS)
    for kind in KINDS:
        op.drop_column("organisations", f"ad_{kind}")


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
