"""What the doctor says of the proxy by which platforms are asked."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from campaigns import doctor
from campaigns.db import db
from campaigns.finding import Finding
from campaigns.model.listing import PollFailure
from config import Settings
from tests import make

REFUSED = "The proxy does not lead us to the platform: 407"


@pytest.fixture
def proxy(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """One that is set, and listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://ada:geheim@127.0.0.1:{server.getsockname()[1]}"
        held = replace(settings, platform_proxy=url, broker_url="memory://")
        monkeypatch.setitem(app.extensions, "settings", held)
        yield server


def found(locale: str = "en") -> list[Finding]:
    with force_locale(locale):
        return [one for one in doctor.examine(datetime.now(UTC)) if one.part == "proxy"]


def failed(*, failures: int, ago: timedelta = timedelta()) -> None:
    listing = make.listing(failures=failures)
    at = datetime.now(UTC) - ago
    db.session.add(
        PollFailure(listing_id=listing.id, at=at, condition="Unreachable", reason=REFUSED)
    )
    db.session.commit()


def test_without_a_proxy_nothing_is_said_of_one(app: Flask) -> None:
    assert found() == []


def test_one_that_takes_connections_is_well(proxy: socket.socket) -> None:
    [one] = found()
    assert (one.failed, one.seen) == (False, "The proxy takes connections.")


def test_one_that_takes_none_is_told_and_its_password_is_not(proxy: socket.socket) -> None:
    proxy.close()
    [one] = found()
    assert one.failed
    assert one.seen == "The proxy does not take connections."
    assert "PLATFORM_PROXY" in one.remedy
    assert "geheim" not in one.seen + one.remedy


def test_what_it_answered_to_a_question_is_told(proxy: socket.socket) -> None:
    failed(failures=1)
    [one] = found()
    assert (one.failed, one.seen) == (True, REFUSED)
    assert found("zh_Hans")[0].seen == "代理服务器没有把我们接到平台：407"


@pytest.mark.parametrize(("failures", "hours"), [(0, 0), (1, 8)], ids=["led since", "long ago"])
def test_a_refusal_that_is_over_is_not_told(
    proxy: socket.socket, failures: int, hours: int
) -> None:
    failed(failures=failures, ago=timedelta(hours=hours))
    [one] = found()
    assert not one.failed
