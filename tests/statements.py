"""The statements that a block of code asks the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from campaigns.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    db.session.commit()
    db.session.expire_all()
    for row in list(db.session.identity_map.values()):
        db.session.refresh(row)
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
