"""A refund that each door knows by a number of another sort is booked once; two refunds are two."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import ledger, refunds, reviewing
from campaigns.bookings import Booking, Returned
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.imported import Decision, Import, ImportRow
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.twins import Alike
from tests import bill, make
from tests.bill import Paid
from tests.books import booking, totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
TRADE = Paid(1).trade
NOTICE = (("refund", "R-1"), ("request", "Q-1"))


def refund(listing: Listing, *keys: tuple[str, str], fen: int = 2000, **more: Any) -> Booking:
    given: dict[str, Any] = {
        "kind": EntryKind.REFUND,
        "amount": Money(fen, "CNY"),
        "source": bill.SOURCE,
        "regards": f"trade:{TRADE}",
    }
    return booking(listing, *keys, **given | more)


def numbers() -> list[set[tuple[str, str]]]:
    """Of each entry in the ledger."""
    assert totals_agree()
    rows = db.session.scalars(select(Entry).order_by(Entry.id))
    return [{(key.scheme, key.value) for key in row.keys} for row in rows]


def read(listing: Listing, *rows: Paid) -> Import:
    db.session.commit()
    return bill.read(bill.bill(rows), listing)


def verdicts(one: Import) -> list[str]:
    rows = select(ImportRow).where(ImportRow.import_id == one.id).order_by(ImportRow.position)
    return [row.verdict.value for row in db.session.scalars(rows)]


def test_a_notice_after_the_statements_line_is_the_same_refund(listing: Listing) -> None:
    ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON)
    assert ledger.book(refund(listing, *NOTICE), NOON).already
    assert numbers() == [{("line", "L-1"), *NOTICE}]
    assert ledger.book(refund(listing, NOTICE[1]), NOON).already


def test_the_statements_line_after_a_notice_is_the_same_refund(listing: Listing) -> None:
    ledger.book(refund(listing, *NOTICE), NOON)
    one = bill.commit(read(listing, bill.refund(1, 2000, line=4)))
    assert verdicts(one) == ["booked"]
    [of_one] = numbers()
    assert {scheme for scheme, _ in of_one} == {"line", "refund", "request"}


def test_what_has_only_its_donations_number_is_the_same_refund(listing: Listing) -> None:
    ledger.book(refund(listing, ("refund", TRADE), door=Door.FILE), NOON)
    assert ledger.book(refund(listing, *NOTICE), NOON).already
    assert not ledger.book(refund(listing, ("refund", "R-2"), ("request", "Q-2")), NOON).already


def test_two_refunds_with_numbers_of_one_sort_are_two(listing: Listing) -> None:
    ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON)
    for number in "123":
        ledger.book(refund(listing, ("refund", f"R-{number}")), NOON)
    assert len(numbers()) == 3


def test_of_two_rows_the_first_is_what_a_notice_told_of(listing: Listing) -> None:
    ledger.book(refund(listing, *NOTICE), NOON)
    one = read(listing, bill.refund(1, 2000, line=4), bill.refund(1, 2000, line=5))
    assert verdicts(one) == ["booked", "new"]
    bill.commit(one)
    assert verdicts(one) == ["booked", "new"]
    assert len(numbers()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"fen": 1999},
        {"regards": f"trade:{Paid(2).trade}"},
        {"regards": None},
        {"source": "alipay:2088000000000002"},
        {"kind": EntryKind.CHARGEBACK},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_is_not_alike_is_another(listing: Listing, other: dict[str, Any]) -> None:
    ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE, **other), NOON)
    assert not ledger.book(refund(listing, *NOTICE), NOON).already
    assert len(numbers()) == 2


def test_where_several_fit_a_person_decides(listing: Listing) -> None:
    both = [
        ledger.book(refund(listing, ("line", f"L-{line}"), door=Door.FILE), NOON).entry_id
        for line in "12"
    ]
    with pytest.raises(Alike, match=": {}, {}$".format(*both)):
        ledger.book(refund(listing, *NOTICE), NOON)
    ledger.book(refund(listing, *NOTICE), NOON, although_alike=True)
    assert len(numbers()) == 3


def test_where_several_fit_a_row_waits(listing: Listing) -> None:
    for number in "12":
        ledger.book(refund(listing, ("request", f"Q-{number}")), NOON)
    one = read(listing, bill.refund(1, 2000, line=4))
    assert verdicts(one) == ["ambiguous"]
    bill.commit(one)
    assert len(numbers()) == 2


@pytest.mark.parametrize(("hours", "close"), [(24, True), (25, False)])
def test_days_apart_a_person_decides(listing: Listing, hours: int, close: bool) -> None:
    later = NOON + timedelta(hours=hours)
    ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON)
    if close:
        assert ledger.book(refund(listing, *NOTICE, occurred_at=later), NOON).already
    else:
        with pytest.raises(Alike):
            ledger.book(refund(listing, *NOTICE, occurred_at=later), NOON)


@pytest.mark.parametrize(("hours", "verdict"), [(23, "booked"), (25, "ambiguous")])
def test_a_row_days_apart_waits(listing: Listing, hours: int, verdict: str) -> None:
    earlier = NOON - timedelta(hours=hours)
    ledger.book(refund(listing, *NOTICE, occurred_at=earlier), NOON)
    one = read(listing, bill.refund(1, 2000, line=4))
    assert verdicts(one) == [verdict]
    reviewing.decide(one, [0], Decision.TAKE, NOON, make.staff())
    bill.commit(one)
    assert len(numbers()) == (1 if verdict == "booked" else 2)


def test_one_that_was_taken_back_comes_again_for_a_person(listing: Listing) -> None:
    booked = ledger.book(refund(listing, *NOTICE), NOON)
    ledger.reverse(db.session.get_one(Entry, booked.entry_id), "never paid out", NOON)
    with pytest.raises(Returned):
        ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON)
    assert verdicts(read(listing, bill.refund(1, 2000, line=4))) == ["differs"]


def test_a_part_of_a_sum_waits(listing: Listing) -> None:
    """The notice of the first 20 yuan was lost, so the sum of 50 is one entry."""
    refunds.book(refund(listing, ("request", "Q-2"), fen=5000), NOON)
    rows = bill.refund(1, 2000, line=4), bill.refund(1, 3000, line=5)
    assert verdicts(read(listing, *rows)) == ["ambiguous", "ambiguous"]
    with pytest.raises(Alike):
        ledger.book(refund(listing, ("request", "Q-1"), door=Door.FILE), NOON)


def test_a_sum_in_another_currency_has_no_part_in_it(listing: Listing) -> None:
    ledger.book(refund(listing, ("request", "Q-2"), amount=Money(5000, "USD")), NOON)
    assert not ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON).already


def test_what_a_sum_lacks_is_another_refund_although_one_is_like_it(listing: Listing) -> None:
    ledger.book(refund(listing, ("line", "L-1"), door=Door.FILE), NOON)
    refunds.book(refund(listing, ("request", "Q-2"), fen=4000), NOON)
    assert numbers() == [{("line", "L-1")}, {("request", "Q-2")}]
    assert ledger.book(refund(listing, ("line", "L-2"), door=Door.FILE), NOON).already


def test_by_two_doors_at_once_it_is_booked_once(app: Flask, listing: Listing) -> None:
    listing_id = listing.id
    db.session.commit()

    def tell(keys: tuple[tuple[str, str], ...]) -> bool:
        with app.app_context():
            own = db.session.get_one(Listing, listing_id)
            already = ledger.book(refund(own, *keys), NOON).already
            db.session.commit()
            return already

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(tell, [(("line", "L-1"),), NOTICE]))
    assert sorted(told) == [False, True]
    assert len(numbers()) == 1
