"""Matched money on a campaign's page: apart from what donors gave, and how far it has come."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import ledger
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing, Rule
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON

ENGLISH = "/en/c/after-school"
AWAITED, ARRIVED = "confirmed, not yet received", "· received"


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(make.campaign("after-school"), rule=Rule.ITEMISED)


def match(of: Listing, stage: MatchStage) -> Entry:
    booking = Booking(
        listing=of,
        kind=EntryKind.MATCH,
        amount=Money.parse("88.00 CNY"),
        occurred_at=NOON,
        source="hand",
        keys=(Key("match", "M1"),),
        door=Door.HAND,
        stage=stage,
    )
    return db.session.get_one(Entry, ledger.book(booking, NOON).entry_id)


def test_what_was_announced_is_not_shown(client: FlaskClient, listing: Listing) -> None:
    match(listing, MatchStage.ANNOUNCED)
    page = client.get(ENGLISH).text
    assert "88.00" not in page
    assert AWAITED not in page


def test_what_was_confirmed_is_awaited_until_it_is_received(
    client: FlaskClient, listing: Listing
) -> None:
    for stage in (MatchStage.ANNOUNCED, MatchStage.CONFIRMED):
        match(listing, stage)
    page = client.get(ENGLISH).text
    assert "¥88.00" in page
    assert AWAITED in page
    match(listing, MatchStage.RECEIVED)
    page = client.get(ENGLISH).text
    assert "¥88.00" in page
    assert AWAITED not in page
    assert ARRIVED in page


def test_what_was_taken_back_is_neither_awaited_nor_shown(
    client: FlaskClient, listing: Listing
) -> None:
    ledger.reverse(match(listing, MatchStage.CONFIRMED), "the partner withdrew it", NOON)
    page = client.get(ENGLISH).text
    assert AWAITED not in page
    assert 'class="amount">¥88.00' not in page
    assert "the partner withdrew it" in page
