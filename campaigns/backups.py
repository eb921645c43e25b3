"""Backups: the whole service in one file, made while it runs, and laid back.

docs/decisions/0050-backups.md tells why they are as they are.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from campaigns import rows, schema, standstill, vacating
from campaigns.db import db
from campaigns.files import backup
from campaigns.files.backup import FORMAT, Backup, Head
from campaigns.model.timeline import TimelineCause
from campaigns.standstill import Stopped
from config import VERSION, settings


class NotPossible(Exception):
    """What is not done. Its text is a sentence for the person who tried."""


@dataclass(frozen=True)
class Made:
    """A backup that was made: its rows by table, and its size in bytes."""

    rows: Mapping[str, int]
    size: int


@dataclass(frozen=True)
class Restored:
    """What was laid back, of which moment, and where what stood there before is kept."""

    rows: Mapping[str, int]
    at: datetime
    stopped: Stopped
    aside: str | None


def make(path: Path, passphrase: str, now: datetime) -> Made:
    """Write all that the database holds at this moment, and the keys, to a new file.

    Others read and write on meanwhile. The file appears under its name when it is whole; of one
    that is there already nothing is touched, and `NotPossible` raised.
    """
    if path.exists():
        raise NotPossible(f"{path} is there already.")
    with _whole(path) as file, rows.snapshot(db.engine) as connection:
        stands = schema.stands_at(connection)
        if stands is None:
            raise NotPossible("The database was never migrated: there is nothing to keep.")
        head = Head(FORMAT, VERSION, stands, now.astimezone(UTC).isoformat(), db.engine.name)
        counts = backup.write(file, passphrase, head, settings().keys, rows.read(connection))
        size = file.tell()
    return Made(counts, size)


def read(file: IO[bytes], passphrase: str) -> Backup:
    """A backup of which every byte was looked at. Raises `Unreadable` and `NotPossible`."""
    found = Backup(file, passphrase)
    if not schema.knows(found.head.schema):
        raise NotPossible(
            f"It is of a later version ({found.head.version}, schema {found.head.schema}). "
            "Update Huiyin first."
        )
    found.check()
    return found


def restore(found: Backup, now: datetime, *, replace: bool) -> Restored:
    """Lay back what `read` gave, brought to this version's schema, all of it or nothing.

    Nothing goes on by itself afterwards (fault row 15): see `standstill`. Raises what `vacating`
    does, and `Misfit`.
    """
    at = datetime.fromisoformat(found.head.at)
    with vacating.vacated(now, replace=replace) as vacant:
        connection = vacant.connection
        schema.upgrade(connection, found.head.schema)
        with rows.filling(connection):
            counts = rows.write(connection, found.tables())
        schema.upgrade(connection, schema.head())
        with rows.filling(connection):
            stopped = standstill.stop(connection, TimelineCause.RESTORED, at, now)
    return Restored(counts, at, stopped, vacant.aside)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A new file beside `path`, for its owner only, that gets this name once it is on the disk."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
