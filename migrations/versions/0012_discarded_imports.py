"""Imports that nobody wants, and when the work of one last came further."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATES = "reading review failed committing committed undoing undone".split()
DISCARDED = ["discarding", "discarded"]


def upgrade() -> None:
    _allow([*STATES, *DISCARDED], STATES)
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.add_column("imports", sa.Column("discard_at", sa.DateTime(timezone=True), nullable=True))
    # As the column's own, which SQLite can add to a table and drop again.
    op.execute(
        f"ALTER TABLE imports ADD COLUMN discarded_by {whole}"
        " CONSTRAINT fk_imports_discarded_by_staff REFERENCES staff (id)"
    )
    op.add_column("imports", sa.Column("discard_reason", sa.String(length=500), nullable=True))
    op.add_column("imports", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    latest = "undone_at, undo_at, counted_at, commit_at, created_at"
    op.execute(f"UPDATE imports SET moved_at = COALESCE({latest})")  # noqa: S608


def downgrade() -> None:
    op.execute(
        "UPDATE imports SET state = 'failed', reason = 'It was discarded.'"
        " WHERE state IN ('discarding', 'discarded')"
    )
    _allow(STATES, [*STATES, *DISCARDED])
    for column in ("moved_at", "discard_reason", "discarded_by", "discard_at"):
        op.drop_column("imports", column)


def _allow(states: list[str], before: list[str]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rewrite("imports", _among(before), _among(states))
        return
    op.drop_constraint("ck_imports_import_state", "imports")
    op.create_check_constraint(op.f("ck_imports_import_state"), "imports", _among(states))


def _among(states: list[str]) -> str:
    return f"state IN ({', '.join(map(repr, states))})"


def _rewrite(table: str, old: str, new: str) -> None:
    """Change a constraint in the stored text of a table, as 0009 does and says why."""
    bind = op.get_bind()
    stored = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
    plain = " ".join(bind.scalar(sa.text(stored), {"table": table}).split())
    if old not in plain:
        raise LookupError(f"The table {table} does not have the constraint {old}.")
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = "UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"
    bind.execute(sa.text(changed), {"sql": plain.replace(old, new), "table": table})
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")
