"""The queue of money that waits: a person empties it, one by one or all alike, and it remembers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import intake, ledger, settling
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.notice import UNSETTLED, Notice, Verdict
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.staff import Role
from tests import make
from tests.books import booking
from tests.make import NOON
from tests.web.staff.conftest import Desk


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring")


@pytest.fixture
def two(campaign: Campaign) -> tuple[Listing, Listing]:
    return make.listing(campaign, external_id="901234"), make.listing(campaign, external_id="77")


@pytest.fixture
def shop(campaign: Campaign, two: tuple[Listing, Listing]) -> WebhookEndpoint:
    return make.endpoint("shop", campaign=campaign)


def waiting(shop: WebhookEndpoint, number: str, **more: Any) -> Notice:
    return make.notice(shop, number, verdict=Verdict.UNMATCHED, **more)


def path(notice: Notice, verb: str = "") -> str:
    return f"/staff/settle/notices/{notice.id}{verb and '/' + verb}"


def verdicts(*notices: Notice) -> list[Verdict]:
    return [db.session.get_one(Notice, notice.id).verdict for notice in notices]


def test_the_queue_says_what_waits_and_where_it_may_belong(
    treasurer: Desk, shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    notice = waiting(shop, "T-1", campaign_ref=f"{two[0].external_id}9")
    booked = make.notice(shop, "T-2", verdict=Verdict.BOOKED)
    page = treasurer.get("/staff/settle").text
    assert f'id="notice-{notice.id}"' in page
    assert f'id="notice-{booked.id}"' not in page
    assert "¥10.50" in page
    assert f"it names nearly “{two[0].external_id}”" in page
    assert "Nothing waits" in treasurer.get("/staff/settle?why=conflict").text


def test_one_is_assigned_and_leaves_the_queue(
    treasurer: Desk, shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    one, other = waiting(shop, "T-1", campaign_ref="desks"), waiting(shop, "T-2")
    assert "Only this notice" in treasurer.get(path(one)).text
    treasurer.post(path(one, "assign"), listing=two[1].id, alike="one", reason="told by phone")
    assert verdicts(one, other) == [Verdict.BOOKED, Verdict.UNMATCHED]
    entry = db.session.scalars(select(Entry)).one()
    assert (entry.listing_id, entry.staff_id) == (two[1].id, treasurer.staff.id)
    assert entry.reason == "told by phone"
    again = treasurer.post(path(one, "assign"), listing=two[1].id, alike="one")
    assert again.status_code == 302
    assert db.session.query(Entry).count() == 1


def test_all_alike_are_assigned_and_the_choice_is_remembered(
    treasurer: Desk, shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    alike = [waiting(shop, f"T-{number}", campaign_ref="desks") for number in range(3)]
    other = waiting(shop, "T-9", campaign_ref="lamps")
    assert "All 3 that name “desks”" in treasurer.get(path(alike[1])).text
    treasurer.post(path(alike[1], "assign"), listing=two[1].id, alike="ref", remember="y")
    assert verdicts(*alike, other) == [Verdict.BOOKED] * 3 + [Verdict.UNMATCHED]
    (rule,) = settling.rules()
    assert (rule.source, rule.by, rule.text) == ("shop", PlacedBy.REF, "desks")
    later = waiting(shop, "T-10", campaign_ref="desks")
    assert intake.again(later, NOON).verdict is Verdict.BOOKED


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"listing": ""}, "listing"),
        ({"listing": "999999"}, "listing"),
        ({"alike": "no such way"}, "alike"),
        ({"remember": "y"}, "remember"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(
    treasurer: Desk,
    shop: WebhookEndpoint,
    two: tuple[Listing, Listing],
    fields: dict[str, str],
    field: str,
) -> None:
    notice = waiting(shop, "T-1", campaign_ref="desks")
    sent = {"listing": str(two[0].id), "alike": "one"} | fields
    answer = treasurer.post(path(notice, "assign"), **sent)
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert verdicts(notice) == [Verdict.UNMATCHED]
    assert db.session.query(Placement).count() == 0


def test_what_contradicts_stands_side_by_side_and_may_be_right(
    treasurer: Desk, shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    ref = two[0].external_id
    intake.again(make.notice(shop, "T-1", campaign_ref=ref), NOON)
    wrong = make.notice(shop, "T-1", "9.00", campaign_ref=ref)
    assert intake.again(wrong, NOON).verdict is Verdict.CONFLICT
    page = treasurer.get(path(wrong)).text
    assert "¥10.50" in page
    assert "¥9.00" in page
    assert treasurer.post(path(wrong, "insist"), listing=two[0].id).status_code == 400
    treasurer.post(path(wrong, "insist"), listing=two[0].id, reason="the fee was counted in")
    assert verdicts(wrong) == [Verdict.BOOKED]
    amounts = db.session.scalars(select(Entry.amount_minor).order_by(Entry.id))
    assert list(amounts) == [1050, -1050, 900]


def test_what_may_be_a_refund_we_have_is_booked_beside_it_if_a_person_says_so(
    treasurer: Desk, shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    ref = {"external_id": "R-1", "refunds": "T-1", "campaign_ref": two[0].external_id}
    data = ref | {"amount": "10.50", "currency": "CNY"}
    post = {"type": "donation.refunded", "timestamp": NOON.isoformat(), "data": data}
    for line in "12":
        line_of = ("line", line)
        ledger.book(_refund(two[0], line_of, source=shop.source, regards="trade:T-1"), NOON)
    told = make.notice(shop, "R-1", body=json.dumps(post).encode())
    assert intake.again(told, NOON).verdict is Verdict.CONFLICT
    assert "It is another one" in treasurer.get(path(told)).text
    treasurer.post(path(told, "insist"), listing=two[0].id, reason="the third of three")
    assert verdicts(told) == [Verdict.BOOKED]
    assert list(db.session.scalars(select(Entry.amount_minor))) == [-1050] * 3


def _refund(listing: Listing, *keys: tuple[str, str], **more: Any) -> Booking:
    return booking(listing, *keys, kind=EntryKind.REFUND, door=Door.FILE, **more)


@pytest.mark.parametrize("verdict", UNSETTLED)
def test_a_person_can_empty_the_queue(
    treasurer: Desk, shop: WebhookEndpoint, verdict: Verdict
) -> None:
    notice = make.notice(shop, "T-1", body=b"unreadable", verdict=verdict)
    assert treasurer.get(path(notice)).status_code == 200
    assert treasurer.post(path(notice, "leave"), why_left=" ").status_code == 400
    treasurer.post(path(notice, "leave"), why_left="a test of the partner's")
    assert verdicts(notice) == [Verdict.LEFT]
    assert "Nothing waits" in treasurer.get("/staff/settle").text
    assert "a test of the partner" in treasurer.get(f"/staff/notices/{notice.id}").text
    treasurer.post(path(notice, "leave"), why_left="again")
    assert "a test of the partner" in treasurer.get(f"/staff/notices/{notice.id}").text


def test_a_rule_is_deleted_on_its_page(treasurer: Desk, two: tuple[Listing, Listing]) -> None:
    rule = make.placement(two[0], "DESK-")
    assert "DESK-" in treasurer.get("/staff/settle/rules").text
    treasurer.post(f"/staff/settle/rules/{rule.id}/delete")
    assert settling.rules() == []


def test_the_first_page_counts_what_waits_for_who_may_settle_it(
    treasurer: Desk, desk: Callable[..., Desk], shop: WebhookEndpoint
) -> None:
    waiting(shop, "T-1")
    assert "/staff/settle?why=unmatched" in treasurer.get("/staff").text
    assert "/staff/settle" not in desk(Role.EDITOR).get("/staff").text


def test_who_may_not_settle_learns_nothing(
    desk: Callable[..., Desk], shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    notice, fundraiser = waiting(shop, "T-1"), desk(Role.FUNDRAISER)
    here, nowhere = fundraiser.get(path(notice)), fundraiser.get("/staff/settle/notices/999999")
    assert (here.status_code, nowhere.status_code) == (403, 403)
    assert fundraiser.post(path(notice, "leave"), why_left="mine").status_code == 403
    assert verdicts(notice) == [Verdict.UNMATCHED]
