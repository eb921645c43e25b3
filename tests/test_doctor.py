"""What the doctor finds, and what it advises."""

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import text

from campaigns import bell, doctor, outside
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.pulse import Pulse
from config import Settings, load
from tests import bill, make
from tests.conftest import KEY, environment

Holding = Callable[..., None]


@pytest.fixture
def holding(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Holding:
    """Let the app hold other settings."""

    def hold(**changed: Any) -> None:
        monkeypatch.setitem(app.extensions, "settings", replace(settings, **changed))

    hold(broker_url="memory://")
    return hold


def failed(part: str) -> str:
    """What the doctor says of a part that failed, and its advice; empty if it did not fail."""
    found = [one for one in doctor.examine(datetime.now(UTC)) if one.part == part and one.failed]
    return " ".join(f"{one.seen} {one.remedy}" for one in found)


def test_a_sound_service_fails_in_nothing(holding: Holding) -> None:
    findings = list(doctor.examine(datetime.now(UTC)))
    assert [finding.part for finding in findings if finding.failed] == []
    assert {finding.part for finding in findings} >= {
        "settings", "database", "migrations", "triggers", "keys", "clock", "broker", "mail"
    }  # fmt: skip


def test_the_command_exits_with_0_when_all_is_well(app: Flask, holding: Holding) -> None:
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0, result.output
    assert "ok   broker" in result.output


def test_the_command_exits_with_1_and_says_what_to_do(app: Flask, holding: Holding) -> None:
    holding(broker_url=None)
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    assert "FAIL broker: Neither REDIS_URL nor BROKER_URL is set. Start it" in result.output


def test_a_database_that_is_not_there_is_one_finding(tmp_path: Path) -> None:
    app = create_app(load(environment("sqlite:////nowhere/at/all.sqlite3", tmp_path)))
    with app.app_context():
        assert "DATABASE_URL" in failed("database")
        assert not [one for one in doctor.examine(datetime.now(UTC)) if one.part == "triggers"]


def test_a_database_without_migrations_is_told(new_database: str, tmp_path: Path) -> None:
    app = create_app(load(environment(new_database, tmp_path)))
    with app.app_context():
        assert "flask --app wsgi db upgrade" in failed("migrations")
        db.session.remove()
        db.engine.dispose()


def test_a_dropped_trigger_is_named(holding: Holding) -> None:
    on = " ON entries" if db.engine.dialect.name == "postgresql" else ""
    db.session.execute(text(f"DROP TRIGGER entries_no_update{on}"))
    assert "entries_no_update" in failed("triggers")
    db.session.rollback()


def test_a_secret_whose_key_is_gone_is_told(holding: Holding) -> None:
    make.secret(make.endpoint(listing=make.listing()), sealed="k0:00")
    assert "k0" in failed("keys")


def test_another_pepper_is_told_at_once(holding: Holding) -> None:
    make.donor("ada@example.org")
    holding(address_pepper=b"x" * 32, broker_url="memory://")
    assert "ADDRESS_PEPPER" in failed("keys")


def test_a_beat_from_the_future_means_a_wrong_clock(holding: Holding) -> None:
    db.session.add(Pulse(name="beat", at=datetime.now(UTC) + timedelta(days=3)))
    db.session.commit()
    assert "NTP" in failed("clock")


def test_a_silent_broker_is_told(holding: Holding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "BROKER_PATIENCE", bell.PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        holding(broker_url=f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        assert "did not answer" in failed("broker")


def test_a_relay_that_refuses_is_told(holding: Holding) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    holding(smtp_url=f"smtp://127.0.0.1:{port}", broker_url="memory://")
    assert "SMTP_URL" in failed("mail")


def test_people_without_encryption_are_a_warning(holding: Holding) -> None:
    holding(embedded=False, broker_url="memory://")
    [finding] = [one for one in doctor.examine(datetime.now(UTC)) if one.part == "settings"]
    assert finding.warning
    assert not finding.failed
    assert "BASE_URL" in finding.remedy


def test_nothing_secret_is_said(holding: Holding) -> None:
    holding(smtp_url="smtp://user:geheim@127.0.0.1:1", broker_url="redis://:geheim@127.0.0.1:1/0")
    said = " ".join(f"{one.seen} {one.remedy}" for one in doctor.examine(datetime.now(UTC)))
    assert "geheim" not in said
    assert KEY not in said


def test_work_that_nobody_does_is_named_with_its_queue(holding: Holding) -> None:
    assert failed("due") == ""
    one = bill.add(b"a,b")
    one.moved_at = datetime.now(UTC) - timedelta(minutes=20)
    make.delivery(due_at=datetime.now(UTC) - timedelta(hours=2))
    with force_locale("en"):
        said = failed("due")
    assert "The work of an import came no further since" in said
    assert "the worker of the queue import" in said
    assert "the worker of the queue post" in said
