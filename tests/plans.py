"""How SQLite would find what is asked for, of which it keeps no statistics."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from campaigns.db import db


@contextmanager
def plans(word: str) -> Iterator[list[str]]:
    """The steps of its plans for the statements within that have a word in them, at the end."""
    asked: list[tuple[str, Any]] = []
    steps: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, values: Any, *_: object) -> None:
        if word in sql:
            asked.append((sql, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield steps
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    for sql, values in asked:
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        steps += [step.detail for step in plan]
