"""Vacating: an empty database in the place of one that is laid aside, or nothing happens at all."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, inspect, select
from sqlalchemy.exc import OperationalError

from campaigns import rows
from campaigns.db import clock, db, engine_options, prepare
from campaigns.model.pulse import Pulse

# A worker that lives says so at least every five seconds.
_SILENCE = timedelta(seconds=30)
_LOCK_SECONDS = 5


class InUse(Exception):
    """Somebody works with the database; the message says what to stop."""


class NotEmpty(Exception):
    """The database has rows, and nobody said that they may be laid aside."""


@dataclass(frozen=True)
class Vacant:
    """A connection to a database without tables. `aside` names where what stood there is kept."""

    connection: Connection
    aside: str | None


@contextmanager
def vacated(now: datetime, *, replace: bool) -> Iterator[Vacant]:
    """What the block fills takes the database's place when it ends well, for everybody at once.

    What stood there is kept beside, if there was anything: on SQLite as a file, on PostgreSQL as a
    schema. If the block raises, nothing has changed. Raises `InUse`, and `NotEmpty` unless
    `replace` says that a database with rows may be laid aside.
    """
    on = _on_sqlite if db.engine.dialect.name == "sqlite" else _on_postgresql
    with on(now, replace) as vacant:
        yield vacant


@contextmanager
def _on_sqlite(now: datetime, replace: bool) -> Iterator[Vacant]:
    """Filled in a file beside, then copied over page by page, in one transaction of SQLite's."""
    path = Path(db.engine.url.database or "")
    _demand_permission(replace)
    db.session.remove()
    db.engine.dispose()
    draft = path.with_name(f"{path.name}.restoring")
    _remove(draft)
    with _alone(path) as standing:
        engine = create_engine(f"sqlite:///{draft}", **engine_options("sqlite"))
        prepare(engine)
        draft.touch(mode=0o600)
        try:
            aside = _aside(standing, path, now)
            with engine.connect() as connection:
                yield Vacant(connection, str(aside) if aside else None)
            engine.dispose()
            if aside:
                _copied(standing, aside)
            _copy(draft, standing)
        finally:
            engine.dispose()
            _remove(draft)


@contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    """The only connection there is: leaving the write-ahead log needs that, and then it is kept."""
    standing = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
    try:
        standing.execute("PRAGMA locking_mode=EXCLUSIVE")
        standing.execute("PRAGMA journal_mode=DELETE")
        standing.execute("BEGIN EXCLUSIVE")
        standing.execute("COMMIT")
    except sqlite3.OperationalError as error:
        standing.close()
        raise InUse("The database is in use. Stop the service, then try again.") from error
    try:
        yield standing
    finally:
        standing.close()


def _aside(standing: sqlite3.Connection, path: Path, now: datetime) -> Path | None:
    """Where the standing database will be kept; None where it has no tables."""
    if not standing.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return None
    return path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%S}")


def _copied(standing: sqlite3.Connection, aside: Path) -> None:
    aside.touch(mode=0o600, exist_ok=False)
    try:
        copy = sqlite3.connect(aside)
        with _closing(copy):
            standing.backup(copy)
    except sqlite3.Error:
        aside.unlink()
        raise
    for kept in (aside, aside.parent):
        _sync(kept)


def _copy(draft: Path, standing: sqlite3.Connection) -> None:
    source = sqlite3.connect(draft)
    with _closing(source):
        source.backup(standing)


@contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(draft: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            draft.with_name(f"{draft.name}{ending}").unlink()


@contextmanager
def _on_postgresql(now: datetime, replace: bool) -> Iterator[Vacant]:
    """One transaction: the schema gets another name, and one with the old name is filled."""
    _demand_permission(replace)
    _demand_silence()
    db.session.remove()
    with db.engine.connect() as connection, connection.begin():
        run = connection.exec_driver_sql
        run(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        names = inspect(connection).get_table_names()
        schema, aside = run("SELECT current_schema()").scalar_one(), None
        if names:
            _lock(connection, names)
            aside = f"before_{now:%Y%m%dt%H%M%S}"
            run(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"')
            run(f'CREATE SCHEMA "{schema}"')
        run("SET LOCAL statement_timeout = 0")
        yield Vacant(connection, aside)


def _lock(connection: Connection, names: list[str]) -> None:
    """Whoever writes ends first, and who comes waits: nothing is written to what is laid aside."""
    every = ", ".join(f'"{name}"' for name in names)
    try:
        connection.exec_driver_sql(f"LOCK TABLE {every} IN ACCESS EXCLUSIVE MODE")
    except OperationalError as error:
        raise InUse("The database is in use. Stop the service, then try again.") from error


def _demand_silence() -> None:
    """No worker said lately that it lives, by the database's own clock."""
    if not inspect(db.session.connection()).has_table(Pulse.__tablename__):
        return
    theirs = clock()
    latest = db.session.scalar(select(func.max(Pulse.at)))
    if latest and theirs and abs(theirs - latest) < _SILENCE:
        raise InUse(
            "Workers are running, or were until a moment ago. Stop them, wait for half a minute, "
            "then try again."
        )


def _demand_permission(replace: bool) -> None:
    if not replace and rows.filled(db.session.connection()):
        raise NotEmpty("The database is not empty. --replace lays what it holds aside.")
