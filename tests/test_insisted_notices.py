"""A person says that a notice is right: it is booked with its giver, whatever is like it."""

import json
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import intake, ledger
from campaigns.db import db
from campaigns.intake import Decided
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Role, Staff
from campaigns.money import Money
from tests import make, payers
from tests.books import booking, entries, minor, totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
T = TypeVar("T")
LATER = NOON + timedelta(hours=5)


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(make.campaign("spring"))


@pytest.fixture
def shop(listing: Listing) -> WebhookEndpoint:
    return make.endpoint("shop", campaign=db.session.get_one(Campaign, listing.campaign_id))


@pytest.fixture
def lin(app: Flask) -> Staff:
    return make.staff(None, Role.TREASURER)


def notice_of(shop: WebhookEndpoint, type: str, **data: Any) -> Notice:
    post = {"type": type, "timestamp": NOON.isoformat(), "data": {"currency": "CNY", **data}}
    return make.notice(shop, "", body=json.dumps(post).encode())


def one(noun: type[T]) -> T:
    return db.session.scalars(select(noun)).one()


def insist(notice: Notice, listing: Listing, by: Staff) -> Verdict:
    return intake.insist(notice, Decided(by, "They telephoned.", listing), LATER).verdict


def test_its_giver_is_kept_thanked_and_follows_the_campaign(
    shop: WebhookEndpoint, listing: Listing, lin: Staff
) -> None:
    ledger.book(booking(listing, source="shop"), NOON)
    ledger.reverse(entries()[0], "an hour too early", NOON)
    donor = {"name": "Ada", "email": "ada@example.org", "updates": True}
    given = {"external_id": "T1", "amount": "10.50", "donor": donor}
    notice = notice_of(shop, "donation.succeeded", **given)
    outcome = intake.again(notice, NOON)
    assert (outcome.verdict, "trade T1" in outcome.reason) == (Verdict.RETURNED, True)
    assert insist(notice, listing, lin) is Verdict.BOOKED
    *_, entry = entries()
    gift, letter, consent = one(Gift), one(Delivery), one(Consent)
    assert (gift.entry_id, gift.donor_id) == (entry.id, one(Donor).id)
    assert (letter.entry_id, letter.campaign_id) == (entry.id, listing.campaign_id)
    assert (consent.campaign_id, consent.wording) == (listing.campaign_id, "webhook:shop")
    assert (consent.at, letter.created_at) == (LATER, LATER)


def test_a_refund_that_is_like_others_is_one_more(
    shop: WebhookEndpoint, listing: Listing, lin: Staff
) -> None:
    like = {"kind": EntryKind.REFUND, "amount": Money(900, "CNY"), "regards": "trade:T-0"}
    for line in "12":
        ledger.book(booking(listing, ("line", line), source="shop", door=Door.FILE, **like), NOON)
    given = {"external_id": "R-1", "amount": "9.00", "refunds": "T-0"}
    notice = notice_of(shop, "donation.refunded", **given)
    assert intake.again(notice, NOON).verdict is Verdict.CONFLICT
    assert insist(notice, listing, lin) is Verdict.BOOKED
    assert minor() == [-900, -900, -900]
    *_, entry = entries()
    assert (entry.notice_id, entry.staff_id, entry.booked_at) == (notice.id, lin.id, LATER)
    assert (entry.regards, entry.reason) == ("trade:T-0", "They telephoned.")
    assert totals_agree()


def test_what_two_entries_have_numbers_of_stays_a_conflict(listing: Listing, lin: Staff) -> None:
    payers.alipay(listing)
    source = f"alipay:{payers.SELLER}"
    for key in (("trade", "202611227"), ("order", "DON-7")):
        ledger.book(booking(listing, key, source=source), NOON)
    shop = one(WebhookEndpoint)
    notice = make.notice(shop, "", body=payers.form(payers.trade("7")))
    outcome = intake.again(notice, NOON)
    assert outcome.verdict is Verdict.CONFLICT
    assert "order DON-7, trade 202611227" in outcome.reason
    assert insist(notice, listing, lin) is Verdict.CONFLICT
    assert minor() == [1050, 1050]


def test_a_sum_of_refunds_is_booked_as_what_is_new_of_it(listing: Listing) -> None:
    payers.alipay(listing)
    shop = one(WebhookEndpoint)
    for yuan in ("20.00", "50.00"):
        form = payers.form(payers.trade("7", refund_fee=yuan, out_biz_no=f"RF-{yuan}"))
        notice = make.notice(shop, "", body=form)
        assert intake.again(notice, NOON).verdict is Verdict.BOOKED
    assert minor() == [10_000, -2000, -3000]


def test_a_notice_of_no_money_is_no_booking(listing: Listing) -> None:
    payers.alipay(listing)
    shop = one(WebhookEndpoint)
    unpaid = payers.trade("7", trade_status="WAIT_BUYER_PAY", gmt_payment=None)
    notice = make.notice(shop, "", body=payers.form(unpaid))
    assert intake.again(notice, NOON) == intake.NOTHING
    db.session.refresh(notice)
    assert notice.verdict is Verdict.NOTHING
    assert db.session.scalars(select(Entry)).all() == []
