"""Public pages are kept for a moment: a crowd costs one rendering, and nothing is old."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.web import recent
from tests import make

NOW = datetime.now(UTC).replace(microsecond=0)
ENGLISH, CHINESE = "/en/c/after-school", "/c/after-school"


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(make.campaign("after-school"))


def test_who_has_the_page_is_told_that_nothing_changed(
    client: FlaskClient, listing: Listing
) -> None:
    first = client.get(CHINESE)
    assert first.headers["Cache-Control"] == "public, max-age=3"
    known = {"If-None-Match": f'W/{first.headers["ETag"]}, "other"'}
    again = client.get(CHINESE, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    make.report(listing, 1_000_000, NOW)
    assert client.get(CHINESE, headers=known).status_code == 200


def test_a_head_has_the_headers_and_no_body(client: FlaskClient, listing: Listing) -> None:
    answer = client.head(CHINESE)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "ETag" in answer.headers


@pytest.fixture
def keeping(app: Flask) -> Iterator[recent.Recent]:
    """Pages are kept for a minute, which no test takes."""
    kept: recent.Recent = app.extensions["recent"]
    kept.seconds = 60
    yield kept
    kept.seconds = 0
    kept._answers = {}


def test_a_page_is_kept_for_a_moment_and_no_longer(
    client: FlaskClient,
    listing: Listing,
    keeping: recent.Recent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = client.get(ENGLISH)
    make.report(listing, 1_000_000, NOW)
    again = client.get(ENGLISH)
    assert again.data == before.data
    assert list(again.headers) == list(before.headers)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + keeping.seconds)
    monkeypatch.setattr(recent, "time", clock)
    assert "¥10,000.00" in client.get(ENGLISH).text


def test_nothing_is_older_than_five_seconds() -> None:
    assert recent.SECONDS + int(recent.CACHING.rpartition("=")[2]) <= 5


def test_what_is_kept_answers_head_and_knows_who_has_it(
    client: FlaskClient, listing: Listing, keeping: recent.Recent
) -> None:
    kept = client.get(ENGLISH)
    assert client.head(ENGLISH).data == b""
    assert client.head(ENGLISH).headers["Content-Length"] == kept.headers["Content-Length"]
    again = client.get(ENGLISH, headers={"If-None-Match": kept.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == recent.CACHING
    assert client.get(ENGLISH, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/c/nowhere", "/healthz", "/staff/login"])
def test_nothing_else_is_kept(client: FlaskClient, keeping: recent.Recent, path: str) -> None:
    client.get(path)
    client.head(CHINESE)
    client.post("/", headers={"Origin": "http://localhost"})
    assert keeping._answers == {}


def page(body: bytes) -> recent.Page:
    return recent.Page(time.monotonic(), 200, (), body)


def test_a_crowd_costs_one_rendering() -> None:
    renderings = []
    crowd = threading.Barrier(20)
    flights = recent.Flights()

    def render() -> recent.Page:
        renderings.append(1)
        time.sleep(1)
        return page(b"figure")

    def visit(_: int) -> bytes:
        crowd.wait()
        return flights.share("/c/after-school", render).body

    with ThreadPoolExecutor(20) as visitors:
        assert set(visitors.map(visit, range(20))) == {b"figure"}
    assert len(renderings) == 1


def test_a_rendering_that_failed_is_tried_again_by_the_next() -> None:
    flights = recent.Flights()

    def fail() -> recent.Page:
        raise LookupError

    with pytest.raises(LookupError):
        flights.share("/c/a", fail)
    assert flights.share("/c/a", lambda: page(b"better")).body == b"better"


def test_pages_that_nobody_asks_again_are_forgotten(
    client: FlaskClient, listing: Listing, keeping: recent.Recent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "CAPACITY", 3)
    keeping.seconds = 1e-9
    for path in ("/", "/en/", CHINESE, ENGLISH, "/c/after-school.json", "/en/c/after-school.json"):
        client.get(path)
    assert len(keeping._answers) <= 3


def test_a_list_of_many_campaigns_asks_no_more_questions_than_one_of_few(
    app: Flask, client: FlaskClient
) -> None:
    def questions() -> int:
        asked: list[str] = []
        listen = lambda *seen: asked.append(seen[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        client.get("/")
        event.remove(db.engine, "before_cursor_execute", listen)
        return len(asked)

    make.listing()
    few = questions()
    for _ in range(9):
        make.listing()
    assert questions() == few
