"""Refunds told of as a sum so far: what is new is booked, under numbers that lead back to it."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import delete, select

from campaigns import ledger, refunds
from campaigns.bookings import Returned
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import make
from tests.books import ALIPAY, numbered, so_far
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing()


def test_the_first_sum_is_booked_whole(listing: Listing) -> None:
    booked = refunds.book(so_far(listing, "20.00"), NOON)
    assert not booked.already
    assert numbered() == [(-2_000, {("request", "RF-1")})]


def test_a_larger_sum_books_the_difference(listing: Listing) -> None:
    refunds.book(so_far(listing, "20.00"), NOON)
    assert not refunds.book(so_far(listing, "50.00", "RF-2"), NOON).already
    assert numbered() == [(-2_000, {("request", "RF-1")}), (-3_000, {("request", "RF-2")})]


def test_a_sum_larger_by_the_smallest_coin_books_that(listing: Listing) -> None:
    refunds.book(so_far(listing, "20.00"), NOON)
    refunds.book(so_far(listing, "20.01", "RF-2"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, -1]


def test_what_was_refunded_in_another_currency_is_no_part_of_the_sum(listing: Listing) -> None:
    ledger.book(replace(so_far(listing, "20.00"), amount=Money.parse("20.00 USD")), NOON)
    refunds.book(so_far(listing, "20.00", "RF-2"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, -2_000]


@pytest.mark.parametrize("again", ["20.00", "50.00"])
def test_what_is_covered_is_booked_already(listing: Listing, again: str) -> None:
    first = refunds.book(so_far(listing, "50.00"), NOON)
    second = refunds.book(so_far(listing, again, "RF-0"), NOON)
    assert (second.already, second.entry_id) == (True, first.entry_id)
    assert numbered() == [(-5_000, {("request", "RF-1"), ("request", "RF-0")})]


def test_a_number_used_before_does_not_hide_what_is_new(listing: Listing) -> None:
    refunds.book(so_far(listing, "20.00"), NOON)
    refunds.book(so_far(listing, "50.00"), NOON)
    assert numbered()[1] == (-3_000, {("refund", "trade:T-1 5000")})


def test_donations_are_kept_apart_and_so_are_accounts(listing: Listing) -> None:
    refunds.book(so_far(listing, "20.00"), NOON)
    refunds.book(so_far(listing, "20.00", regards="trade:T-2"), NOON)
    refunds.book(replace(so_far(listing, "20.00"), source="alipay:2088000000000002"), NOON)
    whole, same_number = (-2_000, {("request", "RF-1")}), (-2_000, {("refund", "trade:T-2 2000")})
    assert numbered() == [whole, same_number, whole]


def test_numbers_are_kept_with_the_refund_of_the_same_donation_booked_last(
    listing: Listing,
) -> None:
    first = refunds.book(so_far(listing, "20.00", "RF-1"), NOON)
    last = refunds.book(so_far(listing, "50.00", "RF-2"), NOON)
    ledger.reverse(db.session.get_one(Entry, first.entry_id), "never paid out", NOON)
    refunds.book(so_far(listing, "10.00", "RF-9", regards="trade:T-2"), NOON)
    again = refunds.book(so_far(listing, "30.00", "RF-3"), NOON)
    assert (again.already, again.entry_id) == (True, last.entry_id)
    assert numbered()[1] == (-3_000, {("request", "RF-2"), ("request", "RF-3")})


def test_a_refund_in_an_import_that_does_not_count_yet_is_not_booked_beside(
    listing: Listing,
) -> None:
    writing = make.importing(ALIPAY)
    written = Entry(
        kind=EntryKind.REFUND,
        amount_minor=-2_000,
        currency="CNY",
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source=ALIPAY,
        occurred_at=NOON,
        day=NOON.date(),
        booked_at=NOON,
        door=Door.FILE,
        import_id=writing.id,
        import_row=0,
        regards="trade:T-1",
    )
    db.session.add(written)
    db.session.flush()
    booked = refunds.book(so_far(listing, "20.00"), NOON)
    assert (booked.already, booked.entry_id) == (True, written.id)
    assert not refunds.book(so_far(listing, "50.00", "RF-2"), NOON).already
    amounts = db.session.scalars(select(Entry.amount_minor).order_by(Entry.id)).all()
    assert list(amounts) == [-2_000, -3_000]


def test_a_refund_by_another_door_counts_to_the_sum(listing: Listing) -> None:
    ledger.book(so_far(listing, "20.00"), NOON)
    refunds.book(so_far(listing, "20.00", "another"), NOON)
    refunds.book(so_far(listing, "30.00", "third"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, -1_000]


def test_after_a_reversal_a_person_decides(listing: Listing) -> None:
    first = refunds.book(so_far(listing, "20.00"), NOON)
    ledger.reverse(db.session.get_one(Entry, first.entry_id), "never paid out", NOON)
    for request in ("RF-1", "RF-2"):
        with pytest.raises(Returned, match="T-1"):
            refunds.book(so_far(listing, "20.00", request), NOON)
    refunds.insist(so_far(listing, "20.00"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, 2_000, -2_000]


def test_what_an_undone_import_took_back_is_booked_when_it_is_told_of(listing: Listing) -> None:
    first = refunds.book(so_far(listing, "20.00"), NOON)
    ledger.reverse(db.session.get_one(Entry, first.entry_id), "import undone", NOON)
    db.session.execute(delete(EntryKey))
    refunds.book(so_far(listing, "20.00"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, 2_000, -2_000]


def test_what_was_booked_anew_counts_in_its_place(listing: Listing) -> None:
    first = refunds.book(so_far(listing, "20.00"), NOON)
    entry = db.session.get_one(Entry, first.entry_id)
    ledger.rebook(entry, so_far(listing, "25.00"), NOON, "a slip")
    assert refunds.book(so_far(listing, "25.00"), NOON).already
    refunds.book(so_far(listing, "40.00", "RF-2"), NOON)
    assert [amount for amount, _ in numbered()] == [-2_000, 2_000, -2_500, -1_500]
