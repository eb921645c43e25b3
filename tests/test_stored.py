"""A file is kept once by its content, in pieces that nobody waits for, and read back as it was."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import stored
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.file import CHUNK, File, FileChunk
from config import load
from tests.conftest import empty_database, environment
from tests.make import NOON

LARGE = os.urandom(20 * CHUNK + 1)


class Broken(Exception):
    """The process ends here."""


def chunks() -> int:
    return db.session.scalar(select(func.count()).select_from(FileChunk)) or 0


def read(file: File) -> bytes:
    db.session.commit()
    with stored.opened(file.id) as copy:
        return copy.read()


def test_a_large_file_is_kept_in_pieces(app: Flask) -> None:
    seen: list[int] = []
    kept = stored.keep(BytesIO(LARGE), NOON, pause=lambda: seen.append(chunks()))
    assert seen == [0, stored.PIECE, 2 * stored.PIECE]
    assert (kept.size, chunks()) == (len(LARGE), 21)
    assert read(kept) == LARGE


@pytest.mark.parametrize("content", [b"a", LARGE[:CHUNK], LARGE[: CHUNK + 1]])
def test_the_same_content_is_kept_once(app: Flask, content: bytes) -> None:
    first, second = (stored.keep(BytesIO(content), NOON) for _ in range(2))
    assert first.id == second.id
    assert chunks() == -(-len(content) // CHUNK)
    assert read(first) == content


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", stored.Nothing), (bytes(stored.LARGEST + 1), stored.TooLarge)],
    ids=["empty", "large"],
)
def test_what_is_empty_or_too_large_leaves_nothing(
    app: Flask, content: bytes, error: type[ValueError]
) -> None:
    with pytest.raises(error):
        stored.keep(BytesIO(content), NOON)
    assert db.session.scalar(select(func.count()).select_from(File)) == 0


def test_what_was_broken_off_is_no_file_and_is_ended_or_swept(app: Flask) -> None:
    _break_off()
    assert (chunks(), _numbers()[0] > 0) == (2 * stored.PIECE, True)
    assert read(stored.keep(BytesIO(LARGE), NOON)) == LARGE
    assert not stored.sweep(NOON + timedelta(days=2))
    assert chunks() == 21


def test_the_sweep_deletes_what_was_broken_off(app: Flask) -> None:
    _break_off()
    stored.sweep(NOON + timedelta(hours=23))
    assert chunks() == 2 * stored.PIECE
    while stored.sweep(NOON + timedelta(hours=25)):
        db.session.commit()
    assert chunks() == 0


def test_bytes_that_are_dropped_while_they_are_kept_are_written_again(app: Flask) -> None:
    pauses = iter(range(10))

    def pause() -> None:
        if next(pauses) == 2:
            stored.drop(db.session.scalars(select(File.id)).one())
        db.session.commit()

    assert read(stored.keep(BytesIO(LARGE), NOON, pause=pause)) == LARGE


def _break_off() -> None:
    pauses = iter(range(3))

    def pause() -> None:
        db.session.commit()
        if next(pauses) == 2:
            raise Broken

    with pytest.raises(Broken):
        stored.keep(BytesIO(LARGE), NOON, pause=pause)
    db.session.rollback()


def _numbers() -> list[int]:
    return list(db.session.scalars(select(FileChunk.number).order_by(FileChunk.number)))


@pytest.fixture
def served(dialect: str, tmp_path: Path) -> Iterator[str]:
    if dialect != "sqlite":
        pytest.skip("one writer holds the whole database on SQLite only")
    with (
        empty_database(dialect, tmp_path) as url,
        create_app(load(environment(url, tmp_path))).app_context(),
    ):
        flask_migrate.upgrade()
        yield url.removeprefix("sqlite:///")
        db.session.remove()
        db.engine.dispose()


def test_nobody_waits_for_the_largest_file(served: str) -> None:
    waits, over = [0.0], threading.Event()

    def write() -> None:
        with sqlite3.connect(served, isolation_level=None) as other:
            other.execute("CREATE TABLE trials (number INTEGER)")
            while not over.wait(0.01):
                began = time.monotonic()
                other.execute("INSERT INTO trials VALUES (1)")
                waits.append(time.monotonic() - began)
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    stored.keep(BytesIO(os.urandom(stored.LARGEST)), NOON, pause=db.session.commit)
    db.session.commit()
    over.set()
    writer.join()
    assert max(waits) < 1
