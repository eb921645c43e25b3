"""A person says how much was refunded: then just that is booked, in the place of what was."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from campaigns import ledger, refunds
from campaigns.bookings import Booked, Booking, Differs
from campaigns.db import db
from campaigns.model.entry import Door, Entry
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import make
from tests.books import ALIPAY, committed, entries, minor, numbered, so_far
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
LATER = NOON + timedelta(days=2)


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing()


def told(listing: Listing, *sums: str) -> list[Entry]:
    """The refunds of one donation, of which a notice after the other told."""
    made = [
        refunds.book(so_far(listing, yuan, f"RF-{number}"), NOON)
        for number, yuan in enumerate(sums)
    ]
    return [db.session.get_one(Entry, booked.entry_id) for booked in made]


def reverse(*those: Entry) -> None:
    for entry in those:
        ledger.reverse(entry, "never paid out", NOON)


def insist(listing: Listing, yuan: str, request: str = "RF-9") -> Booked:
    by = make.staff()
    said = replace(so_far(listing, yuan, request), staff_id=by.id, reason="They telephoned.")
    before = len(entries())
    booked = refunds.insist(said, LATER)
    for entry in entries()[before:]:
        assert (entry.staff_id, entry.reason) == (by.id, "They telephoned.")
        assert entry.booked_at == LATER
    assert booked.already == (len(entries()) == before)
    if not booked.already:
        assert booked.entry_id == entries()[-1].id
    return booked


def test_what_is_missing_is_booked_to_the_smallest_coin(listing: Listing) -> None:
    insist(listing, "20.00", "RF-1")
    insist(listing, "20.01", "RF-2")
    assert numbered() == [(-2000, {("request", "RF-1")}), (-1, {("request", "RF-2")})]


def test_what_agrees_keeps_its_number_and_books_nothing(listing: Listing) -> None:
    (first,) = told(listing, "20.00")
    assert insist(listing, "20.00") == Booked(first.id, already=True)
    assert numbered() == [(-2000, {("request", "RF-0"), ("request", "RF-9")})]


def test_of_a_larger_refund_a_part_is_taken_back(listing: Listing) -> None:
    (first,) = told(listing, "30.00")
    insist(listing, "20.00")
    both = {("request", "RF-0"), ("request", "RF-9")}
    assert numbered() == [(-3000, set()), (3000, set()), (-2000, both)]
    assert entries()[2].replaces == first.id


@pytest.mark.parametrize(
    ("yuan", "made"),
    [
        ("34.99", [500, -499]),
        ("30.00", [500]),
        ("15.00", [500, 2000, -500]),
        ("10.00", [500, 2000]),
        ("0.01", [500, 2000, 1000, -1]),
    ],
)
def test_of_several_refunds_the_newest_are_taken_back(
    listing: Listing, yuan: str, made: list[int]
) -> None:
    told(listing, "10.00", "30.00", "35.00")
    insist(listing, yuan)
    assert minor() == [-1000, -2000, -500, *made]


def test_the_newest_is_the_one_that_happened_last(listing: Listing) -> None:
    refunds.book(so_far(listing, "20.00", "RF-1"), NOON)
    earlier = so_far(listing, "50.00", "RF-2", occurred_at=NOON - timedelta(hours=1))
    refunds.book(earlier, NOON)
    insist(listing, "30.00")
    assert minor() == [-2000, -3000, 2000]


@pytest.mark.parametrize(
    ("yuan", "made"),
    [
        ("100.00", [-1000, -2000, -7000]),
        ("30.00", [-1000, -2000]),
        ("10.00", [-1000]),
        ("5.00", [-500]),
    ],
)
def test_what_was_reversed_is_booked_again_each_in_its_place(
    listing: Listing, yuan: str, made: list[int]
) -> None:
    three = told(listing, "10.00", "30.00", "60.00")
    reverse(*three)
    insist(listing, yuan)
    assert minor()[6:] == made
    assert entries()[-1].replaces == three[-1].id
    assert numbered()[-1][1] == {("request", "RF-2"), ("request", "RF-9")}


def test_what_is_of_another_donation_account_or_currency_stays(listing: Listing) -> None:
    seven = so_far(listing, "7.00", "O-1", occurred_at=NOON + timedelta(hours=1))
    refunds.book(replace(seven, regards="trade:T-2"), NOON)
    refunds.book(replace(seven, source="alipay:2088000000000002"), NOON)
    refunds.book(replace(seven, amount=Money.parse("7.00 USD")), NOON)
    told(listing, "30.00")
    insist(listing, "20.00")
    assert minor() == [-700, -700, -700, -3000, 3000, -2000]


def test_what_was_reversed_in_another_currency_is_not_booked_again(listing: Listing) -> None:
    other = so_far(listing, "7.00", amount=Money.parse("7.00 USD"))
    reverse(db.session.get_one(Entry, refunds.book(other, NOON).entry_id))
    insist(listing, "20.00")
    assert minor() == [-700, 700, -2000]
    assert entries()[2].replaces is None


def test_what_has_no_number_of_its_own_goes_by_its_sum(listing: Listing) -> None:
    refunds.book(so_far(listing, "7.00", "RF-1", regards="trade:T-2"), NOON)
    ledger.book(so_far(listing, "30.00", keys=(), door=Door.HAND), NOON)
    insist(listing, "20.00", "RF-1")
    assert numbered()[-1] == (-2000, {("refund", "trade:T-1 2000")})


@pytest.mark.parametrize(("yuan", "is_kept"), [("20.00", True), ("15.00", False)])
def test_only_a_sum_that_a_file_brought_about_gives_its_number(
    listing: Listing, yuan: str, is_kept: bool
) -> None:
    ledger.book(so_far(listing, "20.00", "RF-1", door=Door.FILE), NOON)
    assert refunds.book(so_far(listing, yuan, "RF-9"), NOON).already
    assert (("request", "RF-9") in numbered()[0][1]) == is_kept


def test_a_number_goes_with_the_refund_that_reached_the_sum(listing: Listing) -> None:
    first, second = told(listing, "20.00", "50.00")
    assert refunds.book(so_far(listing, "20.00", "RF-7"), NOON).entry_id == first.id
    assert refunds.book(so_far(listing, "20.01", "RF-8"), NOON).entry_id == second.id


def test_what_an_import_is_still_writing_is_not_taken_back(listing: Listing) -> None:
    writing = make.importing(ALIPAY)
    ledger.book(so_far(listing, "20.00", door=Door.FILE, import_id=writing.id, import_row=0), NOON)
    with pytest.raises(Differs, match="import"):
        refunds.insist(so_far(listing, "10.00", "RF-9"), LATER)
    db.session.rollback()


@pytest.mark.parametrize("book", [refunds.book, refunds.insist])
def test_of_many_who_tell_of_a_sum_at_once_one_books_it(
    app: Flask, listing: Listing, book: Callable[[Booking, datetime], Booked]
) -> None:
    listing_id = committed(listing)

    def tell(number: int) -> bool:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            booked = book(so_far(found, "20.00", f"RF-{number}"), NOON)
            db.session.commit()
            return booked.already

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tell, range(8))).count(False) == 1
    assert minor() == [-2000]
