"""What supervisors and load balancers are told."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import bell, clockwork
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.mailing import MailingState
from campaigns.model.pulse import Pulse
from config import Settings, load
from tests import bill, make
from tests.bill import Paid
from tests.conftest import environment
from workers import tidy


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a broker that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def with_broker(app: Flask, settings: Settings, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(settings, broker_url=url))


def test_an_empty_service_whose_clockwork_beats_is_ready(client: FlaskClient) -> None:
    tidy.pulse()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["ready"] is True
    assert answer.json["due"]["oldest_seconds"] == {
        "deliveries": None,
        "imports": None,
        "listings": None,
        "notices": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("age", [None, timedelta(minutes=2)])
def test_without_a_recent_beat_it_is_not_ready(client: FlaskClient, age: timedelta | None) -> None:
    if age:
        db.session.add(Pulse(name="beat", at=datetime.now(UTC) - age))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["beat"]["ok"] is False
    assert answer.json["database"]["ok"] is True


def test_a_letter_that_nobody_takes_makes_it_unready(client: FlaskClient) -> None:
    tidy.pulse()
    make.delivery(due_at=datetime.now(UTC) - timedelta(hours=2))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["due"]["oldest_seconds"]["deliveries"] >= 7200


def test_letters_of_a_paused_mailing_wait_rightly(client: FlaskClient) -> None:
    tidy.pulse()
    mailing = make.mailing(state=MailingState.PAUSED)
    make.delivery(of=mailing, due_at=datetime.now(UTC) - timedelta(hours=2))
    assert client.get("/readyz").status_code == 200


def test_a_listing_that_nobody_asks_makes_it_unready(client: FlaskClient) -> None:
    tidy.pulse()
    make.listing(next_poll_at=datetime.now(UTC) - timedelta(hours=1))
    assert client.get("/readyz").status_code == 503


def test_an_import_that_nobody_brings_further_makes_it_unready(client: FlaskClient) -> None:
    tidy.pulse()
    one = bill.add(b"a,b")
    one.moved_at = datetime.now(UTC)
    assert client.get("/readyz").status_code == 200
    one.moved_at = datetime.now(UTC) - timedelta(minutes=20)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["due"]["oldest_seconds"]["imports"] >= 1200


def test_an_import_under_review_waits_for_a_person_and_no_worker(client: FlaskClient) -> None:
    tidy.pulse()
    one = bill.read(bill.bill([Paid(1)]), make.listing(next_poll_at=None))
    one.moved_at = datetime.now(UTC) - timedelta(days=3)
    assert client.get("/readyz").status_code == 200


def test_a_broker_that_hangs_keeps_nobody_waiting(
    app: Flask, client: FlaskClient, settings: Settings, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_broker(app, settings, deaf, monkeypatch)
    tidy.pulse()
    client.get("/readyz")  # the first one loads the transport's code
    began = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - began < 3
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["broker"] == {"ok": False, "error": "Silent"}


def test_a_broker_that_is_gone_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(bell.Silent):
        bell.ring(f"redis://127.0.0.1:{port}/0", seconds=5)
    assert time.monotonic() - began < 4


def test_a_database_without_tables_is_told_and_not_raised(
    new_database: str, tmp_path: Path
) -> None:
    app = create_app(load(environment(new_database, tmp_path)))
    answer = app.test_client().get("/readyz")
    with app.app_context():
        db.engine.dispose()
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["database"]["ok"] is True
    assert answer.json["migrations"]["ok"] is False


def test_alive_needs_nothing(tmp_path: Path) -> None:
    app = create_app(load(environment("sqlite:////nowhere/at/all.sqlite3", tmp_path)))
    assert app.test_client().get("/healthz").json == {"alive": True}
    assert app.test_client().get("/readyz").status_code == 503


def test_the_newest_beat_counts(app: Flask) -> None:
    clockwork.beat(make.NOON)
    clockwork.beat(make.NOON + timedelta(seconds=5))
    db.session.commit()
    assert [pulse.at for pulse in db.session.query(Pulse)] == [make.NOON + timedelta(seconds=5)]


def test_pulses_of_processes_long_gone_are_swept(app: Flask) -> None:
    for name, age in (("post:gone", timedelta(days=2)), ("post:here", timedelta(minutes=1))):
        db.session.add(Pulse(name=name, at=datetime.now(UTC) - age))
    tidy.sweep()
    assert [pulse.name for pulse in db.session.query(Pulse)] == ["post:here"]
