"""An import's work in pieces: killed, doubled or met by a webhook, each piece is done once."""

from datetime import timedelta

import pytest

from campaigns import batches, committing, imports, ledger, progress, undoing
from campaigns.batches import Overtaken, Pace
from campaigns.bookings import Returned
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.imported import (
    Import,
    ImportState,
)
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import bill, make
from tests.bill import Paid
from tests.books import booking, totals_agree
from tests.make import NOON
from workers.imports import WORK

pytestmark = pytest.mark.usefixtures("app")
THREE = [Paid(1, 10000), bill.fee(1, 60, line=2), Paid(9, 123450), bill.refund(1, 2000, line=4)]


def test_a_half_committed_import_counts_nowhere(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    imports.commit(one, NOON, None)
    db.session.commit()
    batch = committing.book(one.id, Pace(rows=2), lambda: NOON)
    next(batch)
    db.session.commit()
    assert len(bill.entries()) > 0
    assert bill.raised(listing) == 0
    assert progress.of(db.session.get_one(Campaign, listing.campaign_id), NOON).raised.minor == 0


def test_killed_after_any_batch_it_goes_on(listing: Listing) -> None:
    one = bill.add(bill.bill(THREE), listing)
    for begin, state in ((None, ImportState.REVIEW), (_commit, ImportState.COMMITTED),
                         (_undo, ImportState.UNDONE)):  # fmt: skip
        if begin:
            begin(one)
        while one.state is not state:
            work = WORK[one.state](one.id, Pace(rows=1, most=1, least=1), lambda: NOON)
            next(work)
            db.session.commit()
            del work
            db.session.refresh(one)
            if one.state in WORK:  # One that dies before its commit.
                next(WORK[one.state](one.id, Pace(rows=1), lambda: NOON))
                db.session.rollback()
        if state is ImportState.COMMITTED:
            assert bill.raised(listing) == 131450
    assert bill.raised(listing) == 0
    assert bill.entries() == {"donation": 4, "fee": 2, "refund": 2}
    assert totals_agree()


def _commit(one: Import) -> None:
    imports.commit(one, NOON, None)
    db.session.commit()


def _undo(one: Import) -> None:
    imports.undo(one, "a trial", NOON, make.staff())
    db.session.commit()


def test_a_lease_by_a_clock_that_was_ahead_holds_no_import_up(listing: Listing) -> None:
    row = make.importing("x", moved_at=NOON)
    row.leased_until = NOON + timedelta(days=400)
    db.session.commit()
    assert batches.take(NOON) == row.id
    assert batches.take(NOON) is None


def test_two_workers_do_each_batch_once(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    _commit(one)
    first, second = (committing.book(one.id, Pace(rows=2), lambda: NOON) for _ in range(2))
    next(first)
    db.session.commit()
    next(second)
    db.session.commit()
    with pytest.raises(Overtaken):
        next(first)
    db.session.rollback()
    for _ in second:
        db.session.commit()
    assert bill.raised(listing) == 131450
    assert totals_agree()


def test_a_webhook_in_the_middle_of_a_commit_is_booked_once(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    imports.commit(one, NOON, None)
    db.session.commit()
    work = committing.book(one.id, Pace(rows=1, most=1, least=1), lambda: NOON)
    next(work)
    db.session.commit()
    for paid in (THREE[0], THREE[2]):
        told = booking(
            listing, ("trade", paid.trade), source=bill.SOURCE, amount=Money(paid.fen, "CNY")
        )
        ledger.book(told, NOON)
        db.session.commit()
    for _ in work:
        db.session.commit()
    assert bill.entries() == {"donation": 2, "fee": 1, "refund": 1}
    assert bill.verdicts(one) == ["new", "new", "booked", "new"]
    assert bill.raised(listing) == 131450
    assert totals_agree()


def test_money_that_arrives_while_undoing_waits_for_a_person(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    imports.undo(one, "the wrong month", NOON, make.staff())
    db.session.commit()
    batch = undoing.take_back(one.id, Pace(), lambda: NOON)
    next(batch)
    db.session.commit()
    told = booking(
        listing, ("trade", Paid(1).trade), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    with pytest.raises(Returned):
        ledger.book(told, NOON)
    assert bill.raised(listing) == 131450
