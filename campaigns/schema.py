"""The schema: at which migration the database stands, and at which it should."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def head() -> str:
    """The newest migration of this version of the service."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


def stands_at(connection: Connection) -> str | None:
    """The database's migration; None where none was ever run."""
    return MigrationContext.configure(connection).get_current_revision()
