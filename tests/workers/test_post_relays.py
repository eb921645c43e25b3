"""The post and a real relay that misbehaves: cut connections, silence, and a backlog."""

import time
from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue

import pytest
from flask import Flask

from campaigns import claims, outcomes
from campaigns.composition import Desk, Written
from campaigns.db import db
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import Patience, SmtpTransport
from campaigns.mail.transport import State
from tests import make
from tests.sink import FAULTS, OFFERED, Sink
from tests.workers.posting import queue, states
from workers import post
from workers.carriers import Carrier, InHand, Report, uptime
from workers.office import Office

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as listening:
        yield listening


def relay(sink: Sink, dot: float = 60) -> SmtpTransport:
    return SmtpTransport(Relay.parse(sink.url), Patience(connect=2, reply=5, dot=dot))


@pytest.mark.parametrize(
    ("fault", "becomes", "arrives"),
    [
        ("greylisted", "deferred", 0),
        ("full", "deferred", 0),
        ("gone", "failed", 0),
        ("rejected", "failed", 0),
        ("leaving", "deferred", 0),
        ("cut-after-dot", "unknown", 0),
        ("cut-after-keeping", "unknown", 1),
        ("silent-after-keeping", "unknown", 1),
    ],
)
def test_what_a_relay_does_wrong_is_told_truly(
    sink: Sink, fault: str, becomes: str, arrives: int
) -> None:
    mailing = queue(4)
    sink.faults["donor-1@example.org"] = FAULTS[fault]
    Office(relay(sink, dot=0.5), connections=2).work()
    assert states(mailing) == ["sent", becomes, "sent", "sent"]
    assert len(sink.letters) == 3 + arrives


@pytest.mark.parametrize(
    ("offered", "becomes", "arrives"),
    [(("PIPELINING", "8BITMIME"), "failed", 0), (OFFERED, "unknown", 1)],
)
def test_a_relay_that_takes_letters_for_nobody_gets_no_dot_or_leaves_a_doubt(
    sink: Sink, offered: tuple[str, ...], becomes: str, arrives: int
) -> None:
    mailing = queue(4)
    sink.offered = offered
    sink.faults["donor-1@example.org"] = FAULTS["gone-but-credulous"]
    Office(relay(sink), connections=2).work()
    assert states(mailing) == ["sent", becomes, "sent", "sent"]
    assert len(sink.letters) == 3 + arrives


def test_a_letter_cut_before_its_dot_was_handed_over_is_deferred(sink: Sink) -> None:
    delivery = make.delivery("donor-1@example.org")
    sink.offered = ("PIPELINING", "8BITMIME")
    sink.faults["donor-1@example.org"] = FAULTS["cut-in-content"]
    reports: SimpleQueue[Report] = SimpleQueue()
    carrier = Carrier(relay(sink), reports)
    assert reports.get(timeout=5).ready
    [claim] = claims.claim("me", 1, make.NOON)
    # Larger than the buffers of both sides together, so that the dot is still ours when it is cut.
    large = b"Subject: desks\r\n\r\n" + (b"x" * 70 + b"\r\n") * 300_000
    carrier.give(InHand(claim, Written("", claim.to.address, large), uptime()))
    report = reports.get(timeout=20)
    outcomes.record([outcomes.Result(claim, report.outcome, "relay", make.NOON)], make.NOON)
    carrier.stop()
    db.session.refresh(delivery)
    assert str(delivery.state) == "deferred"


def test_the_backlog_drains_once_a_relay_is_back(sink: Sink) -> None:
    mailing = queue(5)
    sink.refuse()
    Office(relay(sink)).work()
    assert states(mailing) == ["queued"] * 5
    sink.listen()
    Office(relay(sink)).work()
    assert states(mailing) == ["sent"] * 5


def test_an_idle_connection_that_the_relay_closed_costs_no_letter(sink: Sink) -> None:
    for _ in range(2):
        make.delivery()
    reports: SimpleQueue[Report] = SimpleQueue()
    carrier = Carrier(relay(sink), reports)
    assert reports.get(timeout=5).ready
    for claim in claims.claim("me", 2, make.NOON):
        written = Desk().write(claim, make.NOON)
        carrier.give(InHand(claim, written, uptime()))
        report = reports.get(timeout=5)
        assert report.outcome
        assert (report.outcome.state, report.ready) == (State.SENT, True)
        sink.hang_up()
        time.sleep(0.1)
    carrier.stop()
    assert len(sink.letters) == 2


def test_a_worker_opens_as_many_connections_as_it_was_allowed(
    app: Flask, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = replace(app.extensions["settings"], smtp_url=sink.url, worker_concurrency=3)
    monkeypatch.setitem(app.extensions, "settings", given)
    monkeypatch.setitem(app.extensions, "post_office", None)
    sink.delay = 0.02
    mailing = queue(40)
    post.letters()
    assert states(mailing) == ["sent"] * 40
    assert sink.connections == 3
