"""Rows that the ledger contradicts while their file is booked wait until a person decides."""

import pytest
from sqlalchemy import select

from campaigns import assigning, imports, ledger, needs
from campaigns.assigning import Settled
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.imported import Import, ImportRow, turned
from campaigns.model.listing import Listing
from campaigns.model.staff import Role
from campaigns.money import Money
from campaigns.needs import What
from tests import bill, make
from tests.bill import Paid
from tests.books import booking, totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")
ROWS = [Paid(1, 10000), Paid(2, 5000), bill.refund(1, 2000, line=4)]


def overtaken(listing: Listing) -> Import:
    """A bill whose first payment and refund a webhook told of otherwise after the review."""
    one = bill.read(bill.bill(ROWS), listing)
    assert bill.verdicts(one) == ["new"] * 3
    trade = ("trade", ROWS[0].trade)
    ledger.book(booking(listing, trade, source=bill.SOURCE, amount=Money(9900, "CNY")), NOON)
    for request in "12":
        refund = {"kind": EntryKind.REFUND, "regards": f"trade:{ROWS[0].trade}"}
        amount = Money(2000, "CNY")
        told = booking(listing, ("request", request), source=bill.SOURCE, amount=amount, **refund)
        ledger.book(told, NOON)
    db.session.commit()
    return bill.commit(one)


def waiting() -> list[ImportRow]:
    return list(db.session.scalars(select(ImportRow).where(turned()).order_by(ImportRow.position)))


def test_what_turned_waits_with_its_reason(listing: Listing) -> None:
    one = overtaken(listing)
    assert bill.verdicts(one) == ["differs", "new", "ambiguous"]
    assert [row.position for row in waiting()] == [0, 2]
    assert all(row.reason for row in waiting())
    [need] = needs.of(make.staff(None, Role.TREASURER), NOON)
    assert (need.what, need.count) == (What.ROWS, 2)
    assert bill.raised(listing) == 9900 + 5000 - 2 * 2000


def test_what_a_person_saw_in_the_review_does_not_wait(listing: Listing) -> None:
    trade = ("trade", ROWS[0].trade)
    ledger.book(booking(listing, trade, source=bill.SOURCE, amount=Money(9900, "CNY")), NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(ROWS), listing))
    assert bill.verdicts(one) == ["differs", "new", "new"]
    assert waiting() == []


def test_what_differs_is_booked_anew_if_a_person_says_so(listing: Listing) -> None:
    overtaken(listing)
    first, by = waiting()[0], make.staff()
    entry = assigning.insist(first, listing, "the fee was taken off", NOON, by)
    assert (entry.amount_minor, entry.import_row, entry.reason) == (
        10000, 0, "the fee was taken off",
    )  # fmt: skip
    assert db.session.get_one(Entry, entry.replaces).amount_minor == 9900
    assert [row.position for row in waiting()] == [2]
    assert bill.raised(listing) == 10000 + 5000 - 2 * 2000
    with pytest.raises(Settled):
        assigning.insist(first, listing, "again", NOON, by)
    assert totals_agree()


def test_what_only_may_be_the_same_is_booked_beside_it(listing: Listing) -> None:
    overtaken(listing)
    assigning.insist(waiting()[1], listing, "a third refund", NOON, make.staff())
    assert bill.raised(listing) == 9900 + 5000 - 3 * 2000
    assert totals_agree()


def test_what_is_left_waits_no_longer(listing: Listing) -> None:
    overtaken(listing)
    for row in waiting():
        assigning.leave(row, "the webhook is right", NOON, make.staff())
        with pytest.raises(Settled):
            assigning.leave(row, "again", NOON, make.staff())
    assert waiting() == []


def test_undone_nothing_of_a_file_waits(listing: Listing) -> None:
    one = overtaken(listing)
    imports.undo(one, "the wrong month", NOON, make.staff())
    assert waiting() == []
