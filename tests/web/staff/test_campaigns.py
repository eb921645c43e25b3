"""Campaigns and listings, as a fundraiser creates and changes them."""

from collections.abc import Callable
from typing import Any

import pytest

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from tests import make
from tests.web.staff.conftest import Desk

TENCENT = "https://gongyi.qq.com/succor/detail.htm?id=224563"
FIELDS = {
    "title_zh": "放学以后",
    "title_en": "After school",
    "slug": "after-school",
    "currency": "CNY",
    "target": "300,000",
    "default_locale": "zh-Hans",
    "receiving": "",
    "executing": "",
}


@pytest.fixture
def fundraiser(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.FUNDRAISER)


def create(who: Desk, **more: Any) -> Campaign:
    assert who.post("/staff/campaigns/new", **FIELDS | more).status_code == 302
    return db.session.query(Campaign).order_by(Campaign.id.desc()).limit(1).one()


def actions() -> list[str]:
    return [record.action for record in db.session.query(AuditRecord).order_by(AuditRecord.id)]


def test_a_campaign_begins_as_a_draft_in_both_languages(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    assert campaign.state is CampaignState.DRAFT
    assert str(campaign.target) == "300000.00 CNY"
    assert {text.locale: text.title for text in campaign.texts} == {
        "zh-Hans": "放学以后",
        "en": "After school",
    }
    assert actions() == ["create campaign"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("slug", "After school!", "small letters"),
        ("target", "three", "such as 1234.50"),
        ("target", "1.001", "such as 1234.50"),
        ("target", "0", "more than nothing"),
        ("currency", "XYZ", "currency"),
        ("starts_on", "tomorrow", "2026-11-22"),
        ("report_every_days", "-3", "whole number"),
        ("receiving", "999", "Choose one of the list"),
        ("title_zh", "x" * 201, "At most 200"),
    ],
)
def test_a_mistake_is_named_beside_its_field(
    fundraiser: Desk, field: str, value: str, said: str
) -> None:
    answer = fundraiser.post("/staff/campaigns/new", **FIELDS | {field: value})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert said in answer.text
    assert db.session.query(Campaign).count() == 0


def test_a_text_without_a_title_is_refused(fundraiser: Desk) -> None:
    answer = fundraiser.post("/staff/campaigns/new", **FIELDS | {"title_en": "", "story_en": "x"})
    assert answer.status_code == 400
    assert "in each that has a text" in answer.text


def test_a_former_address_still_belongs_to_its_campaign(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    path = f"/staff/campaigns/{campaign.id}/edit"
    assert fundraiser.post(path, **FIELDS | {"slug": "after-class"}).status_code == 302
    taken = fundraiser.post("/staff/campaigns/new", **FIELDS)
    assert taken.status_code == 400
    assert "has or had this address" in taken.text
    assert fundraiser.post(path, **FIELDS).status_code == 302


def test_keeping_what_is_leaves_no_record(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    fundraiser.post(f"/staff/campaigns/{campaign.id}/edit", **FIELDS)
    assert actions() == ["create campaign"]


def test_a_change_is_recorded_with_what_was_and_is(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    fundraiser.post(f"/staff/campaigns/{campaign.id}/edit", **FIELDS | {"target": ""})
    record = db.session.query(AuditRecord).filter_by(action="change campaign").one()
    assert record.changes == {"target": ["300000.00 CNY", None]}
    assert record.staff_id == fundraiser.staff.id


def test_the_form_shows_what_is_kept(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    page = fundraiser.get(f"/staff/campaigns/{campaign.id}/edit").text
    assert 'value="300000.00"' in page
    assert 'value="After school"' in page


def test_a_campaign_moves_only_where_its_state_leads(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    states = []
    for to in ("closed", "live", "draft", "nowhere", "ended"):
        fundraiser.post(f"/staff/campaigns/{campaign.id}/state", to=to)
        states.append(campaign.state.value)
    assert states == ["draft", "live", "live", "live", "ended"]


def test_a_listing_is_recognised_by_its_address(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    fundraiser.post(f"/staff/campaigns/{campaign.id}/listings", address=f" {TENCENT} ")
    listing = db.session.query(Listing).one()
    assert (listing.platform, listing.external_id) == ("tencent", "224563")
    assert listing.next_poll_at is not None
    assert "Tencent Charity" in fundraiser.get(f"/staff/campaigns/{campaign.id}").text


def test_the_same_page_is_not_added_twice(fundraiser: Desk) -> None:
    path = f"/staff/campaigns/{create(fundraiser).id}/listings"
    fundraiser.post(path, address=TENCENT)
    again = fundraiser.post(path, address=TENCENT)
    assert again.status_code == 400
    assert "is a listing already" in again.text


def test_an_address_that_nobody_knows_is_refused(fundraiser: Desk) -> None:
    path = f"/staff/campaigns/{create(fundraiser).id}/listings"
    answer = fundraiser.post(path, address="javascript:alert(1)")
    assert answer.status_code == 400
    assert 'id="address-error"' in answer.text


def test_the_currency_is_fixed_once_there_is_a_listing(fundraiser: Desk) -> None:
    campaign = create(fundraiser)
    make.listing(campaign)
    path = f"/staff/campaigns/{campaign.id}/edit"
    answer = fundraiser.post(path, **FIELDS | {"currency": "USD", "target": ""})
    assert answer.status_code == 400
    assert 'id="currency-error"' in answer.text


def test_what_somebody_typed_is_shown_and_not_run(fundraiser: Desk) -> None:
    campaign = create(fundraiser, title_en="<script>alert(1)</script>")
    page = fundraiser.get(f"/staff/campaigns/{campaign.id}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_pages_speak_the_persons_language(desk: Callable[..., Desk]) -> None:
    create(desk(Role.FUNDRAISER))
    assert "放学以后" in desk(Role.FUNDRAISER, locale="zh-Hans").get("/staff/campaigns").text
    assert "After school" in desk(Role.FUNDRAISER).get("/staff/campaigns").text
