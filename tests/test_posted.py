"""A post booked in one statement, on PostgreSQL, leaves just what the careful way leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import intake, notices
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, NoticeBody
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.notices import Came
from campaigns.platforms.base import Giver, Key, Kind, Movement
from tests import make
from tests.make import NOON

LATE = NOON.replace(hour=16, minute=30)  # half past midnight in Shanghai
CAME = Came("evt-1", b"a body", {"User-Agent": "a partner", "X-Signature": "xyz"}, LATE)
ADA = Giver(name="Ada", email="ada@example.org", updates=True)
# Numbers that the database gives, and the slot of a total, which is any.
GIVEN = {"id", "entry_id", "notice_id", "donor_id", "slot", "token_hash", "occasion"}


@pytest.fixture
def listing(app: Flask) -> Listing:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no round trips to save")
    return make.listing(make.campaign("spring"), external_id="desks")


def movement(**more: Any) -> Movement:
    given: dict[str, Any] = {
        "kind": Kind.DONATION,
        "amount": Money.parse("10.50 CNY"),
        "occurred_at": LATE - timedelta(minutes=1),
        "keys": (Key("trade", "T-1"), Key("order", "A-17")),
    }
    return Movement(**given | more)


def carefully(endpoint: WebhookEndpoint, told: Movement) -> None:
    kept = notices.take(endpoint, CAME)
    intake.book(kept.notice_id, endpoint, [told], CAME.at)


def at_once(endpoint: WebhookEndpoint, told: Movement) -> None:
    assert intake.at_once(endpoint, CAME, told) == intake.BOOKED


def left_by(book: Callable[[], None]) -> dict[str, list[dict[str, object]]]:
    """Every row that a way of booking leaves, which is then forgotten again."""
    book()
    found = {}
    for noun in (Entry, EntryKey, Total, Notice, NoticeBody, Gift, Delivery, WebhookEndpoint):
        table = noun.__table__
        rows = db.session.execute(select(table).order_by(*table.primary_key)).mappings()
        found[noun.__tablename__] = [
            {n: v for n, v in row.items() if n not in GIVEN} for row in rows
        ]
    db.session.rollback()
    return found


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"donor": ADA, "message": "加油"},
        {"campaign_ref": "desks"},
        {"campaign_ref": "spring", "amount": Money.parse("500 JPY")},
        {"kind": Kind.MATCH, "keys": (Key("match", "M-1"),)},
        {"kind": Kind.REFUND, "keys": (Key("refund", "R-1"),)},
        {"kind": Kind.CHARGEBACK, "keys": (Key("chargeback", "C-1"),)},
    ],
    ids=str,
)
@pytest.mark.parametrize("bounds", ["listing", "campaign"])
def test_both_ways_leave_the_same(listing: Listing, told: dict[str, Any], bounds: str) -> None:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    within = {"listing": listing} if bounds == "listing" else {"campaign": campaign}
    endpoint = make.endpoint("shop", **within)
    quick = left_by(lambda: at_once(endpoint, movement(**told)))
    careful = left_by(lambda: carefully(endpoint, movement(**told)))
    assert (len(quick["entries"]), len(quick["notices"])) == (1, 1)
    assert quick == careful


@pytest.mark.parametrize(
    "told",
    [
        {"kind": Kind.REFUND, "refunds": Key("trade", "T-0")},
        {"kind": Kind.REFUND, "cumulative": True},
        {"passed": "desks"},
        {"elsewhere": True},
        {"campaign_ref": "nowhere"},
    ],
    ids=str,
)
def test_what_takes_more_thought_is_not_booked_at_once(
    listing: Listing, told: dict[str, Any]
) -> None:
    endpoint = make.endpoint("shop", listing=listing)
    assert intake.at_once(endpoint, CAME, movement(**told)) is None
    assert db.session.scalars(select(Notice)).all() == []
    assert db.session.scalars(select(Entry)).all() == []
