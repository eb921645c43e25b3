"""An older copy of the database, put back by hand: nothing leaves twice, and staff are told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url, select

from campaigns import marks, standstill
from campaigns.app import create_app
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.mail.transport import MemoryTransport, Outcome, State
from campaigns.mail.way import way_out
from campaigns.marks import Mark
from campaigns.model.delivery import Delivery
from campaigns.model.mailing import Mailing
from campaigns.model.timeline import TimelineCause
from config import load
from tests import make, postgres
from tests.conftest import environment
from tests.make import NOON
from tests.sink import Sink
from tests.workers.posting import queue, states
from workers import post
from workers.office import Office


@contextmanager
def put_back(copy: str, home: Path) -> Iterator[None]:
    """The service on a copy of its database, in the same instance directory."""
    app = create_app(load(environment(copy, home)))
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()
    if copy.startswith("postgresql"):
        on_server(f"DROP DATABASE {make_url(copy).database} WITH (FORCE)")


def copied(dialect: str, home: Path) -> str:
    """The address of a copy of the database as it stands, made without our help."""
    db.session.commit()
    db.session.remove()
    url = db.engine.url
    db.engine.dispose()
    if dialect == "sqlite":
        with (
            closing(sqlite3.connect(url.database or "")) as now,
            closing(sqlite3.connect(home / "copy.sqlite3")) as copy,
        ):
            now.backup(copy)
        return f"sqlite:///{home}/copy.sqlite3"
    name = f"{url.database}_copy"
    on_server(f"CREATE DATABASE {name} TEMPLATE {url.database}")
    return url.set(database=name).render_as_string(hide_password=False)


def on_server(statement: str) -> None:
    server = make_url(postgres.server()).set(drivername="postgresql")
    address = server.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as listening:
        yield listening


def work(sink: Sink, home: Path) -> None:
    Office(way_out(sink.url, home), mark=Mark(home)).work()


def test_a_copy_from_before_letters_left_sends_none_of_them_again(
    app: Flask, dialect: str, tmp_path: Path, sink: Sink
) -> None:
    mailing_id, mark = queue(6).id, Mark(tmp_path)
    mark.notice(NOON)
    copy = copied(dialect, tmp_path)
    work(sink, tmp_path)
    assert len(sink.letters) == 6
    with put_back(copy, tmp_path):
        post.due_mailings()
        work(sink, tmp_path)
        mailing = db.session.get_one(Mailing, mailing_id)
        assert (mailing.state, states(mailing)) == ("paused", ["unknown"] * 6)
        assert [one.cause for one in standstill.unconfirmed()] == [TimelineCause.PUT_BACK]
        work(sink, tmp_path)
        assert len(sink.letters) == 6
        assert len(standstill.unconfirmed()) == 1


def test_the_database_itself_goes_on(app: Flask, tmp_path: Path, sink: Sink) -> None:
    make.our_organisation()
    for number in (1, 2, 3):
        make.delivery(f"donor-{number}@example.org", of=make.mailing())
        work(sink, tmp_path)
        assert len(sink.letters) == number
    assert standstill.unconfirmed() == []


def test_a_new_database_in_an_old_directory_sends(app: Flask, tmp_path: Path, sink: Sink) -> None:
    mark = Mark(tmp_path)
    mark.keep(9999, NOON)
    assert not mark.notice(NOON)
    mailing = queue(2)
    work(sink, tmp_path)
    assert states(mailing) == ["sent"] * 2


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"timeline": "x", "at": 7}'])
def test_a_mark_that_cannot_be_read_stops_nothing(
    app: Flask, tmp_path: Path, sink: Sink, content: str
) -> None:
    (tmp_path / marks.NAME).write_text(content)
    mailing = queue(1)
    work(sink, tmp_path)
    assert states(mailing) == ["sent"]


def test_a_mark_that_cannot_be_written_stops_nothing(
    app: Flask, tmp_path: Path, sink: Sink
) -> None:
    mailing = queue(1)
    Office(way_out(sink.url, tmp_path), mark=Mark(tmp_path / "missing")).work()
    assert states(mailing) == ["sent"]


def test_the_mark_stands_before_a_letter_leaves(app: Flask, tmp_path: Path) -> None:
    queue(1)
    seen: list[str] = []

    def look(to: Address) -> Outcome:
        seen.append((tmp_path / marks.NAME).read_text())
        return Outcome(State.SENT, 250, "kept")

    Office(MemoryTransport(look), mark=Mark(tmp_path)).work()
    claimed = db.session.scalar(select(Delivery.claimed_at))
    assert claimed
    assert [claimed.isoformat() in mark for mark in seen] == [True]
