"""What a row of a file is to the ledger and to its neighbours, and what a person says over it."""

import pytest

from campaigns import ledger, reviewing
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.imported import (
    Decision,
    RowVerdict,
)
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import bill, make
from tests.bill import Paid
from tests.books import booking
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
THREE = [Paid(1, 10000), bill.fee(1, 60, line=2), Paid(9, 123450), bill.refund(1, 2000, line=4)]


def test_what_a_webhook_booked_under_one_number_is_booked(listing: Listing) -> None:
    """Promise P4: the same payment by webhook under one number and in a bill under another."""
    told = booking(
        listing, ("order", Paid(1).order), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    known = ledger.book(told, NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert bill.verdicts(one) == ["booked", "new", "new", "new"]
    assert bill.entries()["donation"] == 2
    trade = db.session.get_one(EntryKey, (bill.SOURCE, "trade", Paid(1).trade))
    assert trade.entry_id == known.entry_id


def test_a_webhook_after_the_file_changes_nothing(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill(THREE), listing))
    told = booking(
        listing, ("trade", Paid(1).trade), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    assert ledger.book(told, NOON).already


def test_another_amount_differs(listing: Listing) -> None:
    told = booking(listing, ("trade", Paid(1).trade), source=bill.SOURCE)
    ledger.book(told, NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert bill.verdicts(one)[0] == "differs"
    assert bill.raised(listing) == 1050 + 123450 - 2000


def test_what_came_again_after_a_reversal_differs(listing: Listing) -> None:
    told = booking(
        listing, ("trade", Paid(1).trade), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    known = ledger.book(told, NOON)
    ledger.reverse(db.session.get_one(Entry, known.entry_id), "wrong", NOON)
    db.session.commit()
    one = bill.read(bill.bill(THREE), listing)
    assert bill.verdicts(one)[0] == "differs"
    assert bill.reasons(one)[0] == "It came again after its entry was taken back."


def test_numbers_of_two_movements_are_ambiguous(listing: Listing) -> None:
    for key in (("trade", Paid(1).trade), ("order", Paid(1).order)):
        ledger.book(booking(listing, key, source=bill.SOURCE, amount=Money(10000, "CNY")), NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert bill.verdicts(one)[0] == "ambiguous"
    assert bill.entries()["donation"] == 3


def test_two_refunds_of_one_donation_with_numbers_of_their_own_are_two(listing: Listing) -> None:
    two = [Paid(1, 10000), bill.refund(1, 2000, line=2), bill.refund(1, 2000, line=3)]
    bill.commit(bill.read(bill.bill(two), listing))
    assert bill.entries()["refund"] == 2


def test_a_row_twice_in_a_file_is_booked_once(listing: Listing) -> None:
    one = bill.read(bill.bill([Paid(1), Paid(2), Paid(1)]), listing)
    assert bill.verdicts(one) == ["new", "new", "booked"]
    assert bill.reasons(one)[2] == "The same movement stands further up in this file: 6"
    bill.commit(one)
    assert bill.entries() == {"donation": 2}


def test_a_row_twice_with_another_amount_differs(listing: Listing) -> None:
    one = bill.read(bill.bill([Paid(1), Paid(1, 9900)]), listing)
    assert bill.verdicts(one) == ["new", "differs"]


def test_a_row_that_mixes_two_rows_numbers_is_ambiguous(listing: Listing) -> None:
    mixed = bill.bill([Paid(1), Paid(2), Paid(3)]).replace(
        Paid(3).trade.encode(), Paid(1).trade.encode()
    ).replace(Paid(3).order.encode(), Paid(2).order.encode())  # fmt: skip
    one = bill.commit(bill.read(mixed, listing))
    assert bill.verdicts(one)[2] == "ambiguous"
    assert bill.entries() == {"donation": 2}


def test_a_row_left_out_is_not_booked(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    by = make.staff()
    assert reviewing.decide(one, [2], Decision.LEAVE, NOON, by) == 1
    bill.commit(one)
    assert bill.raised(listing) == 8000


def test_rows_of_a_kind_are_left_out(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    reviewing.decide_all(one, RowVerdict.NEW, EntryKind.REFUND, Decision.LEAVE, NOON, make.staff())
    assert reviewing.counts(one).planned == 3
    [effect] = reviewing.effects(one)
    bill.commit(one)
    assert bill.raised(listing) == effect.then.minor == 133450


def test_what_is_known_cannot_be_taken(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill(THREE), listing))
    again = bill.read(bill.bill(THREE), listing)
    assert reviewing.decide(again, [0, 1, 2, 3], Decision.TAKE, NOON, make.staff()) == 0


def test_what_has_no_number_is_not_passed_over_in_silence(listing: Listing) -> None:
    """It could be booked twice, so a person is told to give the file's column of numbers."""
    table = "日期,金额,姓名\n2026-11-20,10.00,张三\n".encode()
    one = bill.read(table, listing, profile="generic", source="hand")
    assert bill.verdicts(one) == ["unreadable"]
    assert "no number" in str(bill.reasons(one)[0])
