"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError

from campaigns.db import db


def add(table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of the columns `names`, in the session's transaction.

    Values are as the database stores them: nothing is converted but what the driver converts.
    Moments go through `moments`. Raises what the session would.
    """
    connection = db.session.connection()
    columns = ", ".join(names)
    base = connection.dialect.loaded_dbapi.Error
    try:
        _add(connection.connection.driver_connection, table.name, columns, len(names), rows)
    except base as error:
        raise DBAPIError.instance(
            f"{table.name} ({columns})", None, error, base, dialect=connection.dialect
        ) from error


def _add(driver: Any, table: str, columns: str, width: int, rows: Iterable[Sequence[Any]]) -> None:
    if db.engine.dialect.name == "sqlite":
        places = ", ".join("?" * width)
        driver.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)  # noqa: S608
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as out:
        for row in rows:
            out.write_row(row)


def moments() -> Callable[[datetime], str]:
    """What makes of an aware moment in UTC the text that `db.Moment` stores."""
    if db.engine.dialect.name == "sqlite":
        return lambda at: at.replace(tzinfo=None).isoformat(" ", "microseconds")
    return str
