"""Transactions begin as design §8 says, and columns refuse what would be lost."""

from datetime import datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, StatementError

from campaigns.db import db, reading
from campaigns.model.pulse import Pulse
from tests.make import NOON


def test_a_naive_moment_is_refused(app: Flask) -> None:
    db.session.add(Pulse(name="beat", at=datetime(2026, 1, 1)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a time zone"):
        db.session.flush()


def test_a_moment_comes_back_aware_and_in_utc(app: Flask) -> None:
    db.session.add(Pulse(name="beat", at=NOON.astimezone(timezone(timedelta(hours=8)))))
    db.session.commit()
    kept = db.session.get_one(Pulse, "beat").at
    assert kept == NOON
    assert kept.utcoffset() == timedelta()


def test_nothing_is_written_while_reading(app: Flask) -> None:
    with reading(), pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        db.session.execute(text("INSERT INTO pulses VALUES ('beat', '2026-01-01')"))
    db.session.rollback()


def test_everything_read_in_one_request_is_read_in_one_transaction(app: Flask) -> None:
    with reading():
        assert db.session.connection() is db.session.connection()
        db.session.rollback()


def test_writing_works_again_after_reading(app: Flask) -> None:
    with reading():
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
    db.session.add(Pulse(name="beat", at=NOON))
    db.session.commit()


def test_foreign_keys_hold(app: Flask) -> None:
    statement = "INSERT INTO totals VALUES (99, '2026-01-01', 'donation', 'CNY', 0, 1, 1, 1)"
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        db.session.execute(text(statement))


def test_sqlite_keeps_what_it_confirmed(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("about SQLite only")
    found = {
        name: db.session.scalar(text(f"PRAGMA {name}"))
        for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
    }
    full = 2
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
