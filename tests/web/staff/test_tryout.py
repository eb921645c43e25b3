"""A try-out is a question like any other: guarded, bounded, and nothing waits for it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor
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
