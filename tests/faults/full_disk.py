"""A database whose disk a test makes full: on PostgreSQL a real one, on SQLite by its pages."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, event, text

from campaigns.db import db
from tests import postgres
from tests.conftest import empty_database
from tests.faults.small_disk import SmallDisk, small_disk


class Disk(Protocol):
    """Where a database stands."""

    def full(self, room: int = 0) -> AbstractContextManager[None]:
        """Nothing but so many bytes is left for the app's database, and no hole to fill in it."""


@contextmanager
def database_on_a_disk(dialect: str, home: Path) -> Iterator[tuple[str, Disk]]:
    """The address of an empty database, and the disk it stands on. Raises `NoWorld`.

    With PostgreSQL it is a tablespace, and the server and its log have room elsewhere.
    """
    if dialect == "sqlite":
        with empty_database(dialect, home) as url:
            yield url, Pages()
        return
    with postgres.durable() as cluster, small_disk(user=cluster.user) as disk:
        server = psycopg.connect(host=str(cluster.home), user="postgres", autocommit=True)
        with server:
            server.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'".encode())
            server.execute("CREATE DATABASE huiyin TABLESPACE small")
        yield cluster.url.replace("@/postgres", "@/huiyin"), Tablespace(disk)


class Tablespace:
    """A disk for the data of PostgreSQL."""

    def __init__(self, disk: SmallDisk) -> None:
        self._disk = disk

    @contextmanager
    def full(self, room: int = 0) -> Iterator[None]:
        db.session.commit()
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as own:
            own.execute(text("VACUUM FULL"))  # leaves no hole in a table for a row to go into
        with self._disk.full(room):
            yield
            db.session.rollback()


class Pages:
    """The file of SQLite.

    It looks for its files where they really are, so it finds none on a disk that is there for one
    process only. That it may have no further page has the same end.
    """

    @contextmanager
    def full(self, room: int = 0) -> Iterator[None]:
        db.session.commit()
        own = db.engine.raw_connection()
        own.execute("PRAGMA query_only=OFF")
        own.execute("VACUUM")
        pages = _said(own, "page_count") + room // _said(own, "page_size")
        own.close()

        def bound(connection: Connection) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

        event.listen(db.engine, "begin", bound)
        try:
            yield
        finally:
            event.remove(db.engine, "begin", bound)
            db.session.rollback()
            db.engine.dispose()


def _said(connection: Any, pragma: str) -> int:
    found: tuple[int] = connection.execute(f"PRAGMA {pragma}").fetchone()
    return found[0]
