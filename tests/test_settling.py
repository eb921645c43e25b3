"""What waits can end with a person's decision: assigned, booked as it says, or left."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import bookings, endpoints, intake, ledger, notices, settling, suggestions
from campaigns.db import db
from campaigns.intake import Decided
from campaigns.model.audit import AuditRecord
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.correction import Correction
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.listing import Listing, Rule
from campaigns.model.notice import UNSETTLED, Notice, Verdict
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from campaigns.platforms.base import Key, MalformedNotice
from campaigns.suggestions import Named, Suggestion, Why
from tests import make, payers
from tests.books import totals_agree
from tests.make import NOON
from tests.payers import form, trade

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring")


@pytest.fixture
def two(campaign: Campaign) -> tuple[Listing, Listing]:
    desks = make.listing(campaign, rule=Rule.ITEMISED, external_id="901234")
    return desks, make.listing(campaign, rule=Rule.ITEMISED, external_id="775577")


@pytest.fixture
def shop(campaign: Campaign, two: tuple[Listing, Listing]) -> WebhookEndpoint:
    return make.endpoint("shop", campaign=campaign)


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff(None, Role.TREASURER)


def post(endpoint: WebhookEndpoint, number: str, amount: str = "10.50", **more: Any) -> Notice:
    """A donation is posted, kept, and booked as far as that goes by itself."""
    notice = make.notice(endpoint, number, amount, **more)
    intake.again(notice, NOON)
    db.session.commit()
    db.session.refresh(notice)
    return notice


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def recorded(notice: Notice, by: Staff) -> tuple[str, dict[str, Any]]:
    """What was noted, once, of what a person decided about the notice."""
    record = db.session.scalars(select(AuditRecord)).one()
    assert (record.subject, record.subject_id) == ("notice", notice.id)
    assert (record.staff_id, record.at) == (by.id, NOON)
    return record.action, record.changes


def test_an_unmatched_notice_is_assigned_once(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    notice = post(shop, "T-1")
    assert notice.verdict is Verdict.UNMATCHED
    decided = Decided(lin, "It is for the desks.", two[1])
    assert intake.assign(notice, decided, NOON).verdict is Verdict.BOOKED
    with pytest.raises(notices.Settled):
        intake.assign(notice, decided, NOON)
    (entry,) = entries()
    assert (entry.listing_id, entry.notice_id, entry.staff_id) == (two[1].id, notice.id, lin.id)
    assert entry.reason == "It is for the desks."
    assert recorded(notice, lin) == (
        "assigned notice",
        {
            "verdict": ["unmatched", "booked"],
            "listing": [None, str(two[1].id)],
            "reason": [None, "It is for the desks."],
        },
    )
    assert totals_agree()


@pytest.mark.parametrize("state", [CampaignState.ENDED, CampaignState.CLOSED])
def test_money_for_a_campaign_that_is_over_is_booked_all_the_same(
    campaign: Campaign, two: tuple[Listing, Listing], lin: Staff, state: CampaignState
) -> None:
    campaign.state, campaign.target_minor = state, 1
    by_itself = post(make.endpoint("one", listing=two[0]), "T-1")
    by_hand = post(make.endpoint("shop", campaign=campaign), "T-2")
    intake.assign(by_hand, Decided(lin, "", two[1]), NOON)
    assert by_itself.verdict is Verdict.BOOKED
    assert [entry.listing_id for entry in entries()] == [listing.id for listing in two]


def test_what_the_ledger_has_against_an_assignment_becomes_the_verdict(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    first, second = post(shop, "T-1"), post(shop, "T-1", "99.00")
    intake.assign(first, Decided(lin, "", two[0]), NOON)
    outcome = intake.assign(second, Decided(lin, "", two[1]), NOON)
    assert outcome.verdict is Verdict.CONFLICT
    assert len(entries()) == 1


def test_money_that_came_again_is_booked_again_if_a_person_says_so(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    intake.assign(post(shop, "T-1"), Decided(lin, "", two[0]), NOON)
    ledger.reverse(entries()[0], "bounced", NOON)
    again = post(shop, "T-1", campaign_ref=two[0].external_id)
    assert again.verdict is Verdict.RETURNED
    decided = Decided(lin, "The bank paid it after all.", two[0])
    assert intake.insist(again, decided, NOON).verdict is Verdict.BOOKED
    assert [entry.amount_minor for entry in entries()] == [1050, -1050, 1050]
    with pytest.raises(notices.Settled):
        intake.insist(again, decided, NOON)
    assert totals_agree()


def test_a_notice_that_is_right_corrects_the_ledger_and_the_figure_says_so(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    post(shop, "T-1", campaign_ref=two[0].external_id)
    wrong = post(shop, "T-1", "9.00", campaign_ref=two[0].external_id)
    assert wrong.verdict is Verdict.CONFLICT
    intake.insist(wrong, Decided(lin, "Fee was counted in.", two[0]), NOON)
    assert [entry.amount_minor for entry in entries()] == [1050, -1050, 900]
    for entry in entries()[1:]:
        assert (entry.staff_id, entry.booked_at) == (lin.id, NOON)
        assert (entry.listing_id, entry.reason) == (two[0].id, "Fee was counted in.")
    assert (entries()[2].notice_id, entries()[2].replaces) == (wrong.id, entries()[0].id)
    told = {"verdict": ["conflict", "booked"], "listing": [None, str(two[0].id)]}
    told["reason"] = [None, "Fee was counted in."]
    assert recorded(wrong, lin) == ("booked as the notice says", told)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before_minor, correction.after_minor) == (1050, 900)
    assert correction.reason == "Fee was counted in."
    assert totals_agree()


def test_what_no_entry_contradicts_is_booked_as_it_says(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    notice = post(shop, "T-1")
    assert intake.insist(notice, Decided(lin, "", two[1]), NOON).verdict is Verdict.BOOKED
    (entry,) = entries()
    assert (entry.listing_id, entry.notice_id, entry.staff_id) == (two[1].id, notice.id, lin.id)
    assert (entry.reason, entry.booked_at) == (None, NOON)


def test_a_sum_of_refunds_that_was_reversed_is_booked_if_a_person_says_so(
    two: tuple[Listing, Listing], lin: Staff
) -> None:
    payers.alipay(two[0])
    endpoint = endpoints.named("alipay-1")
    told = form(trade("7", refund_fee="40.00", out_biz_no="RF-1"))
    first = post(endpoint, "", body=told)
    ledger.reverse(entries()[1], "never paid out", NOON)
    again = post(endpoint, "", body=told)
    assert (first.verdict, again.verdict) == (Verdict.BOOKED, Verdict.RETURNED)
    decided = Decided(lin, "The bank says so.", two[1])
    assert intake.insist(again, decided, NOON).verdict is Verdict.BOOKED
    *_, refund = entries()
    assert [entry.amount_minor for entry in entries()] == [10_000, -4_000, 4_000, -4_000]
    assert (refund.listing_id, refund.notice_id, refund.staff_id) == (two[1].id, again.id, lin.id)
    assert (refund.reason, refund.booked_at) == ("The bank says so.", NOON)
    assert totals_agree()


@pytest.mark.parametrize("verdict", UNSETTLED)
def test_every_kind_of_waiting_ends_when_a_person_leaves_it(
    shop: WebhookEndpoint, lin: Staff, verdict: Verdict
) -> None:
    notice = make.notice(shop, "T-1", verdict=verdict)
    intake.leave(notice, "A test of the partner's.", NOON, lin)
    db.session.refresh(notice)
    assert (notice.verdict, notice.reason) == (Verdict.LEFT, "A test of the partner's.")
    assert entries() == []
    with pytest.raises(notices.Settled):
        intake.leave(notice, "again", NOON, lin)
    told = {"verdict": [verdict, Verdict.LEFT], "reason": [None, "A test of the partner's."]}
    assert recorded(notice, lin) == ("left notice", told)


def test_what_cannot_be_read_is_not_assigned(
    shop: WebhookEndpoint, two: tuple[Listing, Listing], lin: Staff
) -> None:
    notice = make.notice(shop, "T-1", body=b"no longer readable", verdict=Verdict.FAILED)
    with pytest.raises(MalformedNotice):
        intake.assign(notice, Decided(lin, "", two[0]), NOON)
    assert settling.items([notice], NOON)[0].unread


def suggested(**named: str) -> Suggestion | None:
    asked = Named(**{"source": "shop"} | named)
    return suggestions.of([asked])[asked]


def book(listing: Listing, order: str, trade: str = "") -> None:
    keys = tuple(Key(*pair) for pair in (("order", order), ("trade", trade)) if pair[1])
    booking = bookings.Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=Money(100, "CNY"),
        occurred_at=NOON,
        source="shop",
        keys=keys,
        door=Door.WEBHOOK,
    )
    ledger.book(booking, NOON)


def test_a_listing_is_suggested_with_the_reason_for_it(two: tuple[Listing, Listing]) -> None:
    assert suggested(order="DESK-1", ref="nothing like it") is None
    book(two[0], "DESK-1")
    assert suggested(order="LAMP-1") == Suggestion(two[0].id, Why.SOURCE, "shop")
    book(two[1], "LAMP-2", trade="T-2")
    assert suggested() is None
    assert suggested(order="DESK-9") == Suggestion(two[0].id, Why.ORDER, "DESK-")
    near = f"{two[1].external_id}0"
    assert suggested(order="DESK-9", ref=near) == Suggestion(
        two[1].id, Why.NAME, two[1].external_id
    )
    refund = suggested(order="DESK-9", ref=near, regards="trade:T-2")
    assert refund == Suggestion(two[1].id, Why.DONATION, "T-2")


def test_a_slug_is_suggested_only_where_its_campaign_has_one_listing(
    two: tuple[Listing, Listing],
) -> None:
    assert suggested(ref="sprng") is None
    alone = make.listing(make.campaign("autumn-2026"))
    assert suggested(ref="autum-2026") == Suggestion(alone.id, Why.NAME, "autumn-2026")


@pytest.mark.parametrize(
    ("order", "begins"),
    [
        ("DESK-2026-7", "DESK-"),
        ("20261122", ""),
        ("a_b9", "a_b"),
        ("", ""),
        (None, ""),
        ("中1", ""),
    ],
)
def test_a_number_begins_with_its_letters(order: str | None, begins: str) -> None:
    assert suggestions.beginning(order) == begins


def test_those_alike_are_of_the_same_source_and_wait(
    shop: WebhookEndpoint, campaign: Campaign
) -> None:
    same = [post(shop, f"T-{number}", campaign_ref="desks") for number in range(3)]
    post(shop, "T-8", campaign_ref="lamps")
    post(make.endpoint("other", campaign=campaign), "T-9", campaign_ref="desks")
    done = post(shop, "T-10", campaign_ref="desks")
    done.verdict = Verdict.LEFT
    db.session.commit()
    item = settling.items([same[1]], NOON)[0]
    assert settling.alike(item, PlacedBy.REF, "desks", NOON) == same
    assert settling.alike(item, PlacedBy.ORDER, "desks", NOON) == []


def test_a_rule_is_kept_once_changed_and_forgotten(
    two: tuple[Listing, Listing], lin: Staff
) -> None:
    for listing in (two[0], two[0], two[1]):
        rule = settling.remember("shop", PlacedBy.REF, "desks", listing, NOON, lin)
    assert [(one.text, one.listing_id) for one in settling.rules()] == [("desks", two[1].id)]
    settling.forget(rule, NOON + timedelta(days=1), lin)
    assert db.session.scalars(select(Placement)).all() == []
    actions = list(db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.id)))
    assert actions == ["made rule", "made rule", "deleted rule"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 201])
def test_a_rule_that_fits_everything_or_nothing_is_refused(
    two: tuple[Listing, Listing], lin: Staff, text: str
) -> None:
    with pytest.raises(settling.BadRule):
        settling.remember("shop", PlacedBy.ORDER, text, two[0], NOON, lin)
