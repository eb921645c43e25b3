"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table

from campaigns.db import db


def add(table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values in the order of the columns `names`, in the session's transaction.

    Values are as the database stores them: nothing is converted but what the driver converts.
    Moments go through `moments`.
    """
    columns = ", ".join(names)
    driver = db.session.connection().connection.driver_connection
    assert driver is not None  # noqa: S101 - a connection in use has one
    if db.engine.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({places})", rows)  # noqa: S608
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as out:
        for row in rows:
            out.write_row(row)


def moments() -> Callable[[datetime], str]:
    """What makes of an aware moment in UTC the text that `db.Moment` stores."""
    if db.engine.dialect.name == "sqlite":
        return lambda at: at.replace(tzinfo=None).isoformat(" ", "microseconds")
    return str
