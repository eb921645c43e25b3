"""A service to lay a backup back into, and what two databases hold, side by side."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from campaigns import backups, cli, rows
from campaigns.app import create_app
from campaigns.backups import Made, Restored
from campaigns.db import db
from config import load
from tests.conftest import empty_database, environment, without_disk

PASSPHRASE = "thirty-two desks in a row"
# What changes when a database is laid back, since nothing may go on by itself.
STOPPED = {"deliveries", "attempts", "mailings", "audit_records", "timelines"}


@contextmanager
def another(dialect: str, home: Path, **more: str) -> Iterator[Flask]:
    """An app on a database without tables, its context pushed."""
    with without_disk(home) as place, empty_database(dialect, place) as url:
        app = create_app(load(environment(url, home, **more)))
        cli.init_app(app)
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def make(path: Path) -> Made:
    db.session.commit()
    return backups.make(path, PASSPHRASE, datetime.now(UTC))


def restore(path: Path, *, replace: bool = False) -> Restored:
    with path.open("rb") as file:
        found = backups.read(file, PASSPHRASE)
        return backups.restore(found, datetime.now(UTC), replace=replace)


def held() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but signs of life, by the table's name."""
    db.session.rollback()
    with rows.snapshot(db.engine) as connection:
        return {
            table.name: [tuple(row) for row in content] for table, content in rows.read(connection)
        }
