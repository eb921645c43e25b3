"""The schema: at which migration the database stands, at which it should, and what guards it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
}


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


def triggers(connection: Connection) -> set[str]:
    """The names of the triggers that stand and strike."""
    return set(connection.scalars(text(_TRIGGERS[connection.dialect.name])))


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate the database of `connection`: in its transaction, or each migration in its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
