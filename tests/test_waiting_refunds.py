"""A refund that comes before its donation waits for it, some tries long, and goes where it went."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import intake, notices
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.money import Money
from campaigns.platforms.base import Key, Kind, Movement
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LATER = NOON + timedelta(hours=3)


@pytest.fixture
def two(app: Flask) -> tuple[Listing, Listing]:
    campaign = make.campaign("spring")
    return make.listing(campaign), make.listing(campaign)


@pytest.fixture
def shop(two: tuple[Listing, Listing]) -> WebhookEndpoint:
    return make.endpoint("shop", campaign=db.session.get_one(Campaign, two[0].campaign_id))


def movement(kind: Kind, number: str, **more: Any) -> Movement:
    keys = (Key(kind.replace("donation", "trade"), number),)
    return Movement(kind=kind, amount=Money(500, "CNY"), occurred_at=NOON, keys=keys, **more)


REFUND = movement(Kind.REFUND, "R-1", refunds=Key("trade", "T-1"))


def tried(notice: Notice, shop: WebhookEndpoint, *told: Movement) -> Verdict:
    verdict = intake.book(notice.id, shop, told, LATER).verdict
    db.session.commit()
    assert notice.verdict is verdict
    return verdict


def test_it_waits_and_says_for_what(shop: WebhookEndpoint) -> None:
    other, notice = make.notice(shop, "x"), make.notice(shop, "y")
    assert tried(notice, shop, REFUND) is Verdict.WAITING
    assert notice.next_try_at == LATER + notices.WAITS[0]
    assert notice.reason is not None
    assert "could be meant" in notice.reason
    assert (other.tries, other.next_try_at) == (0, None)


def test_it_goes_where_its_donation_went(
    shop: WebhookEndpoint, two: tuple[Listing, Listing]
) -> None:
    refund, donation = make.notice(shop, "x"), make.notice(shop, "y")
    assert tried(refund, shop, REFUND) is Verdict.WAITING
    given = movement(Kind.DONATION, "T-1", campaign_ref=two[1].external_id)
    assert tried(donation, shop, given) is Verdict.BOOKED
    assert tried(refund, shop, REFUND) is Verdict.BOOKED
    assert {entry.listing_id for entry in db.session.scalars(select(Entry))} == {two[1].id}


def test_after_some_tries_a_person_decides(shop: WebhookEndpoint) -> None:
    patient, notice = make.notice(shop, "x"), make.notice(shop, "y")
    verdicts = [tried(notice, shop, REFUND) for _ in range(6)]
    assert verdicts == [Verdict.WAITING] * 5 + [Verdict.UNMATCHED]
    assert notice.next_try_at is None
    assert tried(patient, shop, REFUND) is Verdict.WAITING


def test_what_no_donation_explains_does_not_wait(shop: WebhookEndpoint) -> None:
    notice = make.notice(shop, "x")
    given = movement(Kind.DONATION, "T-2")
    assert tried(notice, shop, REFUND, given) is Verdict.UNMATCHED
