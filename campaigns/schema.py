"""The schema: at which migration the database stands, and at which it should."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def head() -> str:
    """The newest migration of this version of the service."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


def stands_at(connection: Connection) -> str | None:
    """The database's migration; None where none was ever run."""
    return MigrationContext.configure(connection).get_current_revision()


def knows(revision: str) -> bool:
    """Whether `revision` is one of this version's migrations, so that it can be brought to head."""
    try:
        return ScriptDirectory(str(MIGRATIONS)).get_revision(revision) is not None
    except CommandError:
        return False


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate the database of `connection`: in its transaction, or each migration in its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
