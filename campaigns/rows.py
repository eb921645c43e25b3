"""Rows as backups hold them: read in one snapshot, and written into empty tables.

Tables and columns are those that stand in the database, not those of this version's models, so a
backup can be made before a migration and read back into the schema it came from.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    String,
    inspect,
)
from sqlalchemy.types import TypeEngine

from campaigns.db import Base
from campaigns.files.backup import BYTES, Content, Row, Table

# Signs of life of processes: they are no data, and after a restore nobody lives.
LEFT_OUT = frozenset({"pulses"})
# So many rows are held at once, and so many of those that hold bytes, which may be a megabyte each.
_AT_ONCE, _BYTES_AT_ONCE = 500, 8
_KINDS: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (LargeBinary, BYTES),
    (Boolean, "bool"),
    (Integer, "int"),
    (DateTime, "moment"),
    (Date, "day"),
    (JSON, "json"),
    (String, "text"),
)
# How PostgreSQL says a kind as backups hold it; SQLite keeps it so.
_SAID = {
    "bool": "{0}::int",
    "moment": "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    "day": "{0}::text",
    "json": "{0}::text",
}
# Written back: a moment without its zone would be taken for one of the session's.
_ZONE = "+00"


class Misfit(Exception):
    """A backup's tables or columns are not those of the schema it says it is of."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is now for as long as it lasts; others write on."""
    options: dict[str, Any] = {"reading": True, "postgresql_readonly": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ"}
    with engine.execution_options(**options).connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection


def tables(connection: Connection) -> list[Table]:
    """The tables of ours that stand in the database, each after those it refers to."""
    look = inspect(connection)
    known = set(Base.metadata.tables) - LEFT_OUT
    names = [name for name, _ in look.get_sorted_table_and_fkc_names() if name in known]
    return [
        Table(name, {column["name"]: _kind(column["type"]) for column in look.get_columns(name)})
        for name in names
    ]


def read(connection: Connection) -> Content:
    """Every table with its rows by their keys, so that what refers to another row follows it."""
    for table in tables(connection):
        yield table, _rows(connection, table)


def filled(connection: Connection) -> bool:
    """Whether any of our tables has a row."""
    return any(
        connection.exec_driver_sql(f"SELECT 1 FROM {_quoted(table.name)} LIMIT 1").first()  # noqa: S608 - a name
        for table in tables(connection)
    )


@contextmanager
def filling(connection: Connection) -> Iterator[None]:
    """What the block writes is written at once, and rows may come before those they refer to.

    On PostgreSQL, which looks when a table is filled, the transaction is the caller's.
    """
    if connection.dialect.name == "postgresql":
        yield
        return
    connection.commit()
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    driver.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        yield
        if stray := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise Misfit(f"A row of {stray[0]} refers to one of {stray[2]} that is not there.")
    driver.execute("PRAGMA foreign_keys=ON")


def write(connection: Connection, content: Content) -> dict[str, int]:
    """Put every row into its table, all of them empty; returns how many by table.

    Triggers look at each row. Raises `Misfit`.
    """
    standing = {table.name: table for table in tables(connection)}
    counts = {}
    for table, values in content:
        ours = standing.get(table.name)
        if ours is None or dict(ours.columns) != dict(table.columns):
            raise Misfit(f"The columns of {table.name} are not those of the schema it is of.")
        counts[table.name] = _fill(connection, table, values)
    return counts


def _kind(kind: TypeEngine[Any]) -> str:
    for known, name in _KINDS:
        if isinstance(kind, known):
            return name
    raise Misfit(f"No backup can hold a column of the type {kind!r}.")


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    postgresql = connection.dialect.name == "postgresql"
    said = [
        _SAID.get(kind, "{0}").format(_quoted(name)) if postgresql else _quoted(name)
        for name, kind in table.columns.items()
    ]
    keys = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
    statement = f"SELECT {', '.join(said)} FROM {_quoted(table.name)}"  # noqa: S608 - only names
    if keys:
        statement += f" ORDER BY {', '.join(map(_quoted, keys))}"
    held = _BYTES_AT_ONCE if BYTES in table.columns.values() else _AT_ONCE
    streaming = {"stream_results": True, "yield_per": held, "max_row_buffer": held}
    with connection.exec_driver_sql(statement, execution_options=streaming) as result:
        yield from result


def _fill(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    if connection.dialect.name == "sqlite":
        return _fill_sqlite(connection, table, rows)
    names = ", ".join(map(_quoted, table.columns))
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    moments = [at for at, kind in enumerate(table.columns.values()) if kind == "moment"]
    number = 0
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {_quoted(table.name)} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(_zoned(row, moments))
            number += 1
    _count_on(connection, table)
    return number


def _fill_sqlite(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    names = ", ".join(map(_quoted, table.columns))
    places = ", ".join("?" * len(table.columns))
    statement = f"INSERT INTO {_quoted(table.name)} ({names}) VALUES ({places})"  # noqa: S608 - only names
    return driver.executemany(statement, rows).rowcount


def _zoned(row: Row, moments: Sequence[int]) -> Row:
    values = list(row)
    for at in moments:
        values[at] = None if values[at] is None else values[at] + _ZONE
    return values


def _count_on(connection: Connection, table: Table) -> None:
    """The next id a table gives is one after the largest it got."""
    if "id" not in table.columns:
        return
    name = _quoted(table.name)
    connection.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # noqa: S608 - a name
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
