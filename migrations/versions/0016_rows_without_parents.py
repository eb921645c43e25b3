"""Rows of imports and gifts no longer look up what they belong to, one by one.

PostgreSQL locks the parent of each row as it looks it up, which writes the parent as well: for a
million gifts that took longer than the gifts. Neither imports nor entries are ever deleted, and
both are there already in the transaction that writes these rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# table, column, parent, what becomes of the row
PARENTS = (
    ("import_rows", "import_id", "imports", " ON DELETE CASCADE"),
    ("import_givers", "import_id", "imports", " ON DELETE CASCADE"),
    ("gifts", "entry_id", "entries", ""),
)


def upgrade() -> None:
    for table, column, parent, then in PARENTS:
        if op.get_bind().dialect.name == "sqlite":
            _rewrite(table, f", {_key(table, column, parent, then)}", "")
        else:
            op.drop_constraint(f"fk_{table}_{column}_{parent}", table)


def downgrade() -> None:
    for table, column, parent, then in PARENTS:
        key = _key(table, column, parent, then)
        if op.get_bind().dialect.name == "sqlite":
            first = f"CONSTRAINT pk_{table} PRIMARY KEY"
            _rewrite(table, first, f"{key}, {first}")
        else:
            op.execute(f"ALTER TABLE {table} ADD {key}")


def _key(table: str, column: str, parent: str, then: str) -> str:
    return (
        f"CONSTRAINT fk_{table}_{column}_{parent} "
        f"FOREIGN KEY({column}) REFERENCES {parent} (id){then}"
    )


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
