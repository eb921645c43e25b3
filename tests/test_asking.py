"""Asking: ways and places change, what a listing has reported keeps its currency and its id."""

import pytest
from flask import Flask

from campaigns import asking, editing
from campaigns.asking import UnknownWay
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.listing import Asking, Listing
from campaigns.platforms.generic_how import How
from tests import make
from tests.make import NOON

HOW = How("https://gy.example.org/p", before="已筹")


@pytest.fixture
def listing(app: Flask) -> Listing:
    return editing.add_page(make.campaign(), HOW.address, "page", HOW, NOON, make.staff())


def records() -> int:
    return db.session.query(AuditRecord).filter_by(action="change how it is read").count()


def test_a_page_keeps_its_currency_and_its_id(listing: Listing) -> None:
    id_before = listing.external_id
    other = How("https://other.example.org/p", before="筹款", currency="USD")
    asking.change_how(listing, other.address, "page", other, NOON, make.staff())
    assert listing.how == other.as_json() | {"currency": "CNY"}
    assert (listing.external_id, listing.host) == (id_before, "other.example.org")


def test_the_same_twice_records_nothing_and_asks_nobody(listing: Listing) -> None:
    listing.etag = '"1"'
    asking.change_how(listing, HOW.address, "page", HOW, NOON, make.staff())
    assert (listing.etag, records()) == ('"1"', 0)


def test_a_change_is_asked_at_once_but_only_where_anybody_asks(listing: Listing) -> None:
    listing.asking, listing.next_poll_at = Asking.BY_HAND, None
    asking.change_how(listing, HOW.address, "json", How(HOW.address, "/a"), NOON, make.staff())
    assert (listing.way, listing.next_poll_at, records()) == ("json", None, 1)
    listing.asking = Asking.ASKED
    asking.change_how(listing, HOW.address, "page", HOW, NOON, make.staff())
    assert listing.next_poll_at == NOON


def test_the_way_of_any_other_page_belongs_to_how_it_is_read(listing: Listing) -> None:
    with pytest.raises(UnknownWay):
        asking.change_way(listing, "json", NOON, make.staff())
