"""Polling by the clock: platforms are asked over HTTP, and their answers become reports."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import hosts, polling, reported
from campaigns.db import db
from campaigns.model.listing import Asking, Listing, PollFailure
from campaigns.money import Money
from campaigns.platforms import alipay
from tests import make
from workers import poll


class Platform(ThreadingHTTPServer):
    """A Tencent on loopback that says what a test tells it to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body = 200, b""
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.delay = 0.0

    def says(self, fen: int) -> None:
        self.status, self.headers = 200, {}
        data = {"sum_money": fen, "sum_times": 3}
        self.body = json.dumps({"code": 0, "msg": "ok", "data": data}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Platform
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append(asked["pid"])
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        threading.Event().wait(self.server.delay)
        with self.server.lock:
            self.server.at_once -= 1
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def platform(app: Flask) -> Iterator[Platform]:
    server = Platform()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    before = app.extensions["settings"]
    app.extensions["settings"] = replace(
        before,
        platform_origins={"tencent": f"http://127.0.0.1:{server.server_port}"},
        poll_allow_private=frozenset({f"127.0.0.1:{server.server_port}"}),
    )
    yield server
    app.extensions["settings"] = before
    server.shutdown()
    server.server_close()


def shown(listing: Listing) -> Money | None:
    last = reported.past([listing.id])[listing.id].last
    return last.raised if last else None


def due_again(listing: Listing) -> None:
    listing.next_poll_at = make.NOON
    db.session.commit()


def test_a_due_listing_is_asked_and_its_figure_kept(platform: Platform) -> None:
    listing = make.listing()
    platform.says(12345678)
    poll.due_listings()
    assert shown(listing) == Money.parse("123456.78 CNY")
    assert listing.next_poll_at is not None
    assert listing.next_poll_at > datetime.now(UTC) + timedelta(seconds=590)


def test_a_listing_is_not_asked_again_before_its_period(platform: Platform) -> None:
    make.listing()
    platform.says(100)
    poll.due_listings()
    poll.due_listings()
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "condition"),
    [
        (200, b'{"code":30800001,"msg":"param invalid"}', "Unreadable"),
        (200, b"<html>maintenance</html>", "Unreadable"),
        (200, b"", "Unreadable"),
        (500, b"oops", "Busy"),
    ],
)
def test_a_failure_is_kept_with_its_reason_and_the_last_good_figure_stands(
    platform: Platform, status: int, body: bytes, condition: str
) -> None:
    listing = make.listing()
    platform.says(100)
    poll.due_listings()
    due_again(listing)
    platform.status, platform.body = status, body
    poll.due_listings()
    failure = db.session.scalars(select(PollFailure)).one()
    assert failure.condition == condition
    assert (listing.failures, shown(listing)) == (1, Money(100, "CNY"))


def test_a_fault_of_ours_with_one_listing_leaves_the_others_alone(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty, sound = make.listing(platform="alipay"), make.listing()
    platform.says(100)

    def stumble(*_: object) -> None:
        raise KeyError("total")

    monkeypatch.setattr(alipay, "ask", stumble)
    poll.due_listings()
    assert (faulty.failures, sound.failures) == (1, 0)
    assert shown(sound) == Money(100, "CNY")
    assert db.session.scalars(select(PollFailure)).one().reason == "Our own fault: KeyError"


def test_a_listing_that_keeps_failing_is_asked_ever_less(platform: Platform) -> None:
    listing = make.listing()
    platform.status = 500
    waits = []
    for _ in range(3):
        due_again(listing)
        poll.due_listings()
        assert listing.next_poll_at is not None
        waits.append(listing.next_poll_at - datetime.now(UTC))
    assert waits[0] < waits[1] < waits[2]


def test_a_refusal_is_taken_as_an_answer(platform: Platform) -> None:
    listing = make.listing()
    platform.status = 403
    poll.due_listings()
    assert listing.asking is Asking.REFUSED
    due_again(listing)
    poll.due_listings()
    assert len(platform.asked) == 1


def test_retry_after_is_honoured(platform: Platform) -> None:
    listing = make.listing()
    platform.status, platform.headers = 429, {"Retry-After": "7200"}
    poll.due_listings()
    assert listing.next_poll_at is not None
    assert listing.next_poll_at > datetime.now(UTC) + timedelta(seconds=7100)


def test_one_host_is_never_asked_more_at_once_than_allowed(platform: Platform) -> None:
    campaign = make.campaign()
    for _ in range(24):
        make.listing(campaign)
    platform.says(100)
    platform.delay = 0.05
    poll.due_listings()
    assert len(set(platform.asked)) == len(platform.asked) == 24
    assert 1 < platform.most_at_once <= 8


def test_nothing_that_was_taken_ahead_is_asked_of_a_host_that_wants_patience(
    platform: Platform,
) -> None:
    campaign = make.campaign()
    for _ in range(24):
        make.listing(campaign)
    platform.status, platform.headers = 429, {"Retry-After": "7200"}
    assert poll.ask_due() == len(platform.asked) == 8
    due = select(func.count()).where(Listing.next_poll_at <= datetime.now(UTC))
    assert db.session.scalar(due) == 16


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_also_after_the_end_figures_are_asked_for(platform: Platform, state: str) -> None:
    make.listing(make.campaign(state=state, ended_at=datetime.now(UTC)))
    platform.says(100)
    poll.due_listings()
    assert len(platform.asked) == 1


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_before_and_after_nobody_asks(platform: Platform, state: str) -> None:
    make.listing(make.campaign(state=state))
    poll.due_listings()
    assert platform.asked == []


def test_a_taken_listing_is_another_workers_until_its_lease_ends(app: Flask) -> None:
    make.listing()
    now = make.NOON
    assert len(polling.take_due(now)) == 1
    assert polling.take_due(now + hosts.LEASE / 2) == []
    assert len(polling.take_due(now + hosts.LEASE)) == 1


def off_by(hours: int) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def test_a_clock_that_jumps_neither_stops_nor_floods_asking(platform: Platform) -> None:
    campaign = make.campaign()
    for _ in range(12):
        make.listing(campaign)
    platform.says(100)
    rounds = [poll.ask_due(partial(off_by, hours)) for hours in (0, 72, 72, -1, -1, 0)]
    assert rounds == [12, 12, 0, 12, 0, 12]
    assert set(Counter(platform.asked).values()) == {4}
    assert platform.most_at_once <= 8


def test_a_private_address_is_not_asked(app: Flask) -> None:
    listing = make.listing(platform="foundation", external_id="http://127.0.0.1:9/feed.json")
    poll.due_listings()
    assert listing.failures == 1
    assert db.session.scalars(select(PollFailure)).one().condition == "ForbiddenAddress"
