"""Platforms are asked through the operator's proxy, by the clock and when a page is tried out."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from campaigns.db import db
from campaigns.model.report import Report
from campaigns.model.staff import Role
from campaigns.money import Money
from tests import make
from tests.platforms.carrier import Carrier, carrying
from tests.platforms.hostile import ok, serving
from tests.web.staff.conftest import Desk, desk
from workers import poll

__all__ = ["desk"]  # the fixture
PUBLIC = "93.184.216.34"
FEED = b'{"currency": "CNY", "raised": "12.00", "as_of": "2026-01-05T12:00:00Z"}'


@pytest.fixture
def carrier(app: Flask) -> Iterator[Carrier]:
    before = app.extensions["settings"]
    with carrying() as carrier:
        app.extensions["settings"] = replace(before, platform_proxy=f"http://{carrier.host}")
        yield carrier
        app.extensions["settings"] = before


def test_a_listing_is_asked_through_the_proxy(carrier: Carrier) -> None:
    feed = f"http://{PUBLIC}/feed.json"
    make.listing(platform="foundation", external_id=feed, host=PUBLIC)
    with serving(ok(FEED)) as server:
        carrier.leads[f"{PUBLIC}:80"] = server.port
        poll.due_listings()
    assert db.session.query(Report).one().raised == Money(1200, "CNY")
    assert carrier.asked == [f"CONNECT {PUBLIC}:80 HTTP/1.1"]


def test_a_page_is_tried_out_through_the_proxy(carrier: Carrier, desk: Callable[..., Desk]) -> None:
    path = f"/staff/campaigns/{make.campaign().id}/listings/other"
    fields = {"way": "page", "written": "1,234.56", "unit": "major", "currency": "CNY"}
    with serving(ok("<p>已筹：5.00 元</p>".encode())) as server:
        carrier.leads[f"{PUBLIC}:80"] = server.port
        page = desk(Role.FUNDRAISER).post(
            path, step="look", address=f"http://{PUBLIC}/page", **fields
        )
    assert (page.status_code, len(carrier.heads)) == (200, 1)
