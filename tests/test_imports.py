"""A file's money reaches the ledger once, all of it or nothing, and can be taken back."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import imports, ledger, reviewing
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.file import File
from campaigns.model.imported import (
    Decision,
    ImportState,
)
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.money import Money
from campaigns.steps import NotOpen
from tests import bill, make
from tests.bill import Paid
from tests.books import booking, totals_agree
from tests.make import NOON
from workers.imports import work_on

pytestmark = pytest.mark.usefixtures("app")
THREE = [Paid(1, 10000), bill.fee(1, 60, line=2), Paid(9, 123450), bill.refund(1, 2000, line=4)]


def test_a_bill_is_read_and_waits_for_a_person(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    assert one.state is ImportState.REVIEW
    assert (one.source, one.rows, one.charset) == (bill.SOURCE, 4, "gb18030")
    assert bill.verdicts(one) == ["new"] * 4
    assert one.footer is not None
    assert one.footer["agree"] is True
    assert bill.entries() == {}


def test_committed_it_counts(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    [effect] = reviewing.effects(one)
    bill.commit(one)
    assert one.state is ImportState.COMMITTED
    assert bill.entries() == {"donation": 2, "fee": 1, "refund": 1}
    assert bill.raised(listing) == 10000 + 123450 - 2000
    assert (effect.now.minor, effect.then.minor) == (0, bill.raised(listing))
    assert totals_agree()


def test_the_same_file_again_is_booked_already(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill(THREE), listing))
    again = bill.read(bill.bill(THREE), listing)
    assert bill.verdicts(again) == ["booked"] * 4
    assert imports.of_file(db.session.get_one(File, again.file_id))[1].id < again.id
    bill.commit(again)
    assert sum(bill.entries().values()) == 4
    assert totals_agree()


def test_a_file_may_be_in_another_charset(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE, "utf-8-sig"), listing)
    assert bill.verdicts(one) == ["new"] * 4


def test_a_file_that_is_no_such_export_fails_with_a_sentence(listing: Listing) -> None:
    one = bill.read(b"a,b\n1,2\n", listing)
    assert one.state is ImportState.FAILED
    assert (one.reason or "").startswith(
        "The headings of such an export were not found in the file"
    )


def test_a_committed_import_is_not_changed(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    by = make.staff()
    with pytest.raises(NotOpen):
        imports.commit(one, NOON, by)
    with pytest.raises(NotOpen):
        reviewing.decide(one, [0], Decision.LEAVE, NOON, by)
    with pytest.raises(NotOpen):
        imports.read_again(one, imports.Reading("generic"), NOON, by)


def test_read_again_for_another_listing_it_counts_there(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), make.listing())
    imports.read_again(
        one, imports.Reading("alipay_account", listing_id=listing.id), NOON, make.staff()
    )
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    bill.commit(one)
    assert bill.raised(listing) == 131450
    assert totals_agree()


def test_undone_it_is_as_if_it_had_not_been(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    bill.undo(one, "the wrong month")
    assert one.state is ImportState.UNDONE
    assert bill.raised(listing) == 0
    assert bill.keys() == 0
    assert totals_agree()
    [correction] = db.session.scalars(select(Correction))
    assert (correction.before_minor, correction.after_minor) == (131450, 0)
    assert correction.reason == "the wrong month"


def test_after_undoing_the_file_can_be_booked_again(listing: Listing) -> None:
    bill.undo(bill.commit(bill.read(bill.bill(THREE), listing)), "too early")
    bill.commit(bill.read(bill.bill(THREE), listing))
    assert bill.raised(listing) == 131450
    assert totals_agree()


def test_what_was_corrected_by_hand_is_not_undone(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    wrong = db.session.scalars(select(Entry).where(Entry.amount_minor == 123450)).one()
    right = booking(listing, ("trade", Paid(9).trade), source=bill.SOURCE, amount=Money(123, "CNY"))
    ledger.rebook(wrong, right, NOON)
    db.session.commit()
    bill.undo(one, "the wrong month")
    assert bill.raised(listing) == 123
    assert db.session.get(EntryKey, (bill.SOURCE, "trade", Paid(9).trade)) is not None
    assert totals_agree()


def test_under_reported_only_what_came_after_the_report_counts(app: Flask) -> None:
    make.organisation()
    listing = make.listing(rule=Rule.REPORTED)
    make_report(listing, NOON - timedelta(seconds=5))
    one = bill.read(bill.bill([Paid(2, 700), Paid(8, 900)]), listing)
    [effect] = reviewing.effects(one)
    bill.commit(one)
    assert effect.then.minor == bill.raised(listing) == 50000 + 700


def make_report(listing: Listing, moment: datetime) -> None:
    db.session.add(
        Report(
            listing_id=listing.id,
            moment=moment,
            received_at=moment,
            raised_minor=50000,
            currency="CNY",
            state=ReportState.ACCEPTED,
            origin=Origin.ASKED,
        )
    )
    db.session.commit()


def test_refunds_that_lower_a_published_figure_leave_a_correction(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill([Paid(1, 10000)]), listing))
    bill.commit(bill.read(bill.bill([bill.refund(1, 2000, line=4)]), listing))
    [correction] = db.session.scalars(select(Correction))
    assert (correction.before_minor, correction.after_minor) == (10000, 8000)
