"""A try-out is a question like any other: guarded, bounded, and nothing waits for it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from campaigns import polling
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor
from campaigns.model.host import Host, Turn
from campaigns.model.staff import Role
from campaigns.web.staff import tryout
from tests import make
from tests.anypage import AnyPage
from tests.web.staff.conftest import Desk


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign()


def look(who: Desk, campaign: Campaign, address: str) -> Any:
    path = f"/staff/campaigns/{campaign.id}/listings/other"
    fields = {"way": "page", "written": "1,234.56", "unit": "major", "currency": "CNY"}
    return who.post(path, step="look", address=address, **fields)


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:1/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/", "file:///"],
)
def test_a_page_that_leads_to_a_private_address_is_not_followed(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage, target: str
) -> None:
    platform.moved = target
    page = look(desk(Role.FUNDRAISER), campaign, platform.url)
    assert page.status_code == 400
    assert platform.asked == 1


def test_an_answer_larger_than_we_read_is_cut(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    platform.page = "x" * (tryout.LARGEST_ANSWER + 1)
    page = look(desk(Role.FUNDRAISER), campaign, platform.url)
    assert page.status_code == 400
    assert "more bytes than we read" in page.text


def test_others_can_write_while_a_platform_is_asked(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage, app: Flask
) -> None:
    def write() -> None:
        with app.app_context():
            db.session.add(Donor(name="Ada", created_at=make.NOON))
            db.session.commit()

    platform.meanwhile = write
    assert look(desk(Role.FUNDRAISER), campaign, platform.url).status_code == 200
    assert db.session.query(Donor).count() == 1


def test_what_a_page_says_is_never_rendered(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    platform.page = "<p>已筹&lt;img src=x onerror=alert(1)&gt;：5 元</p><script>alert(2)</script>"
    page = look(desk(Role.FUNDRAISER), campaign, platform.url)
    assert "<img" not in page.text
    assert "<script>alert" not in page.text


def test_a_try_takes_a_turn_at_its_host_and_gives_it_back(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    db.session.add(Host(name=platform.host, at_once=1))
    db.session.commit()
    fundraiser = desk(Role.FUNDRAISER)
    for _ in range(2):
        assert look(fundraiser, campaign, platform.url).status_code == 200
    assert platform.asked == 2
    assert db.session.query(Turn).filter(Turn.until > datetime.now(UTC)).count() == 0


def test_while_a_platform_is_asked_nobody_else_asks_more_than_it_allows(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage, app: Flask
) -> None:
    make.listing(campaign, host=platform.host, next_poll_at=datetime.now(UTC))
    db.session.add(Host(name=platform.host, at_once=1))
    db.session.commit()
    found: list[int] = []

    def poll() -> None:
        with app.app_context():
            found.append(len(polling.take_due(datetime.now(UTC))))
            db.session.commit()

    platform.meanwhile = poll
    assert look(desk(Role.FUNDRAISER), campaign, platform.url).status_code == 200
    poll()
    assert found == [0, 1]


@pytest.mark.parametrize("limits", [{"at_once": 1}, {"a_minute": 1}])
def test_a_host_that_is_asked_as_often_as_it_allows_is_not_asked_by_a_try(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage, limits: dict[str, int]
) -> None:
    db.session.add(Host(name=platform.host, **limits))
    make.listing(campaign, host=platform.host, next_poll_at=datetime.now(UTC))
    db.session.commit()
    assert len(polling.take_due(datetime.now(UTC))) == 1
    db.session.commit()
    page = look(desk(Role.FUNDRAISER), campaign, platform.url)
    assert (page.status_code, platform.asked) == (400, 0)
    assert re.search(r"asked as often as it allows. Try again in \d+ seconds?\.", page.text)


def test_a_host_that_rests_is_not_asked_by_a_try(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=30)
    db.session.add(Host(name=platform.host, rests_until=until))
    db.session.commit()
    page = look(desk(Role.FUNDRAISER), campaign, platform.url)
    assert (page.status_code, platform.asked) == (400, 0)
    assert "does not want to be asked just now. Try again in 30 minutes." in page.text


def test_a_try_that_fails_counts_against_its_host(
    desk: Callable[..., Desk], campaign: Campaign, platform: AnyPage
) -> None:
    platform.status = 503
    assert look(desk(Role.FUNDRAISER), campaign, platform.url).status_code == 400
    assert db.session.query(Host).one().failures == 1
