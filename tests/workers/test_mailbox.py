"""The mailbox that letters come back to: one worker reads it, and empties it after the commit."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from campaigns import collecting, doctor
from campaigns.db import db
from campaigns.mail.mailbox import Place
from campaigns.mail.parts import LARGEST
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailbox import MailboxReading
from campaigns.model.returned import Return, Stray
from tests import mailboxes, make
from tests.claiming import state
from tests.mailboxes import Server
from tests.returning import address, bounce
from workers import mailbox


@pytest.fixture(params=["imap", "pop3"])
def server(app: Flask, request: pytest.FixtureRequest) -> Iterator[Server]:
    before = app.extensions["settings"]
    with mailboxes.standing(request.param) as standing:
        app.extensions["settings"] = replace(before, bounce_mailbox_url=standing.url)
        yield standing
        app.extensions["settings"] = before


@pytest.fixture
def letter(app: object) -> Delivery:
    return make.delivery(state=DeliveryState.SENT)


def reading() -> MailboxReading:
    db.session.expire_all()
    return db.session.query(MailboxReading).one()


def due_again() -> None:
    reading().next_at = datetime.now(UTC)
    db.session.commit()


def test_bounces_are_taken_and_removed(server: Server, letter: Delivery) -> None:
    server.put(bounce(address(letter)), bounce(address(letter), number=2))
    mailbox.bounces()
    assert state(letter) == "bounced"
    assert server.messages == {}
    assert reading().failures == 0
    assert reading().leased_until is None


@pytest.mark.parametrize("server", ["imap"], indirect=True)
def test_what_is_not_ours_stays_and_is_asked_for_once(server: Server) -> None:
    server.put(b"Subject: hello\r\n\r\nDear all,\r\n.\r\n")
    mailbox.bounces()
    due_again()
    mailbox.bounces()
    assert list(server.messages) == [1]
    assert [stray.number for stray in db.session.query(Stray)] == [1]


def test_only_the_beginning_of_a_large_message_is_read(server: Server, letter: Delivery) -> None:
    server.put(bounce(address(letter)) + b"x" * 70 + b"\r\n" + b"y" * (2 * LARGEST))
    mailbox.bounces()
    assert state(letter) == "bounced"


@pytest.mark.parametrize("server", ["pop3"], indirect=True)
def test_a_server_without_top_is_read_too(server: Server, letter: Delivery) -> None:
    server.fault = "no TOP"
    server.put(bounce(address(letter)))
    mailbox.bounces()
    assert state(letter) == "bounced"


def test_a_message_is_not_removed_before_the_commit(server: Server, letter: Delivery) -> None:
    server.put(bounce(address(letter)))
    db.session.execute(text("ALTER TABLE returns RENAME TO elsewhere"))
    db.session.commit()
    try:
        with pytest.raises(DBAPIError):
            mailbox.bounces()
    finally:
        db.session.rollback()
        db.session.execute(text("ALTER TABLE elsewhere RENAME TO returns"))
        db.session.commit()
    assert list(server.messages) == [1]


@pytest.mark.parametrize("fault", ["giant", "cut", "endless", "nonsense", "drip"])
def test_a_hostile_server_costs_little_and_is_left_alone(
    server: Server, letter: Delivery, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "SECONDS", 2.0)
    server.put(bounce(address(letter)))
    server.fault, began = fault, time.monotonic()
    mailbox.bounces()
    assert time.monotonic() - began < 9
    if reading().failures:
        assert reading().next_at > datetime.now(UTC)
        assert db.session.query(Return).count() == 0
    server.fault = ""
    due_again()
    mailbox.bounces()
    assert state(letter) == "bounced"


def test_a_wrong_password_is_told_without_it(server: Server, app: Flask) -> None:
    url = server.url.replace("p%20ss", "geheim")
    app.extensions["settings"] = replace(app.extensions["settings"], bounce_mailbox_url=url)
    mailbox.bounces()
    row = reading()
    assert row.failures == 1
    assert "refused" in (row.failed_for or "")
    found = [one for one in doctor.examine(datetime.now(UTC)) if one.part == "mailbox"]
    assert found[0].failed
    said = f"{found[0].seen} {row.name} {row.failed_for}"
    assert "geheim" not in said
    assert "bounces@x" not in said


def test_failures_rest_longer_and_longer(app: object) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    rests = []
    for _ in range(9):
        assert collecting.take_turn("imaps://x/INBOX", now)
        collecting.failed("imaps://x/INBOX", "away", now)
        db.session.expire_all()
        rests.append(db.session.query(MailboxReading).one().next_at - now)
        now += rests[-1]
    assert rests[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert rests[-1] == collecting.LONGEST_REST


def test_two_workers_do_not_read_at_once(app: object) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert collecting.take_turn("imaps://x/INBOX", now)
    assert not collecting.take_turn("imaps://x/INBOX", now)
    assert collecting.take_turn("imaps://x/INBOX", now + collecting.LEASE)


def test_a_clock_that_was_ahead_keeps_nobody_from_reading(app: object) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert collecting.take_turn("imaps://x/INBOX", now + timedelta(days=3))
    collecting.was_read("imaps://x/INBOX", now + timedelta(days=3), more=False)
    assert collecting.take_turn("imaps://x/INBOX", now)


def test_encryption_is_checked(server: Server, app: Flask) -> None:
    url = server.url.replace("://", "s://")
    assert Place.parse(url).scheme in ("imaps", "pop3s")
    app.extensions["settings"] = replace(app.extensions["settings"], bounce_mailbox_url=url)
    mailbox.bounces()
    assert reading().failures == 1
