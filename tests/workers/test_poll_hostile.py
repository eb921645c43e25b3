"""Fault row 10 by the clock: whatever a platform sends, the last good figure stands."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.listing import Asking, PollFailure
from campaigns.model.report import Report
from campaigns.money import Money
from tests import make
from tests.make import NOON
from tests.platforms.asking import dripping
from tests.platforms.hostile import Play, Server, head, moved, ok, serving
from workers import poll

FEED = '{"currency": "CNY", "raised": "99.00", "as_of": "2026-01-05T12:00:00Z", "title": "放学"}'
CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
HOSTILE: dict[str, tuple[Play | bytes, str]] = {
    "drip": (dripping(head("HTTP/1.1 200 OK", "Content-Length: 1000")), "Unreachable"),
    "gigabyte": (head("HTTP/1.1 200 OK", "Content-Length: 1000000000") + b"x" * 9, "Unreachable"),
    "bomb": (ok(gzip.compress(b" " * 9_000_000), "Content-Encoding: gzip"), "TooLarge"),
    "chunk that breaks off": (CHUNKED + b"40\r\n" + FEED.encode()[:20], "Unreachable"),
    "other charset": (ok(FEED.encode("gb18030")), "Unreadable"),
    "redirects without end": (moved("/feed.json"), "Unreadable"),
    "redirect inside": (moved("http://169.254.169.254/latest"), "ForbiddenAddress"),
    "redirect to a file": (moved("file:///etc/passwd"), "ForbiddenAddress"),
}


@pytest.fixture
def may_ask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    """Lets a server on loopback be asked, for half a second."""
    monkeypatch.setattr(poll, "ASK_SECONDS", 0.5)
    given = app.extensions["settings"]

    def allow(server: Server) -> None:
        allowed = replace(given, poll_allow_private=frozenset({server.host}))
        monkeypatch.setitem(app.extensions, "settings", allowed)

    return allow


@pytest.mark.parametrize(("play", "condition"), HOSTILE.values(), ids=HOSTILE)
def test_the_last_good_figure_stands_with_its_date(
    may_ask: Callable[[Server], None], play: Play | bytes, condition: str
) -> None:
    with serving(play) as server:
        may_ask(server)
        feed = server.url + "/feed.json"
        listing = make.listing(platform="foundation", external_id=feed, host=server.host)
        make.report(listing, 1200, NOON)
        poll.due_listings()
    report = db.session.scalars(select(Report)).one()
    assert (report.raised, report.moment) == (Money(1200, "CNY"), NOON)
    assert db.session.scalars(select(PollFailure)).one().condition == condition
    assert (listing.asking, listing.failures) == (Asking.ASKED, 1)
    assert listing.next_poll_at is not None
    assert listing.next_poll_at > datetime.now(UTC) + timedelta(minutes=10)
