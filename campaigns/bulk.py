"""Many rows at once: by COPY or one prepared statement, or as JSON within a statement."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Table, TextClause, text
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


def execute(
    sql: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], **more: Any
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement of ours in which `{given}` stands for `rows`, as a table of that name.

    `columns` are the keys that the rows may have, each with its type in PostgreSQL; a missing one
    is null, and moments are aware. One statement for many rows costs a fraction of one for each.
    """
    statement = _with_given(sql, tuple(columns.items()), db.engine.dialect.name)
    return db.session.connection().execute(statement, more | {"rows": _json(rows)})


@cache
def _with_given(sql: str, columns: tuple[tuple[str, str], ...], dialect: str) -> TextClause:
    if dialect == "sqlite":
        read = ", ".join(f"value ->> '{name}' AS {name}" for name, _ in columns)
        given = f"(SELECT {read} FROM json_each(:rows)) AS given"  # noqa: S608
        return text(sql.format(given=given))
    typed = ", ".join(f"{name} {kind}" for name, kind in columns)
    return text(sql.format(given=f"json_to_recordset(CAST(:rows AS json)) AS given ({typed})"))


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    moment = moments()
    return json.dumps(rows, default=lambda at: moment(at.astimezone(UTC)))


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
