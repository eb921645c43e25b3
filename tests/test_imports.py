"""A file's money reaches the ledger once, all of it or nothing, whatever else comes meanwhile."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import committing, figures, imports, ledger, progress, undoing
from campaigns.batches import Overtaken, Pace
from campaigns.bookings import Returned
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent
from campaigns.model.correction import Correction
from campaigns.model.delivery import Delivery
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.file import File
from campaigns.model.gift import Gift
from campaigns.model.imported import (
    Decision,
    Import,
    ImportRow,
    ImportState,
    RowVerdict,
)
from campaigns.model.listing import Listing, Rule
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.report import Origin, Report, ReportState
from campaigns.money import Money
from tests import bill, make
from tests.bill import Paid
from tests.make import NOON
from tests.test_ledger import booking, totals_agree
from workers.imports import WORK, work_on

pytestmark = pytest.mark.usefixtures("app")
THREE = [Paid(1, 10000), bill.fee(1, 60, line=2), Paid(9, 123450), bill.refund(1, 2000, line=4)]


@pytest.fixture
def listing(app: Flask) -> Listing:
    make.organisation()
    return make.listing(rule=Rule.ITEMISED)


def verdicts(one: Import) -> list[str]:
    rows = select(ImportRow).where(ImportRow.import_id == one.id).order_by(ImportRow.position)
    return [row.verdict.value for row in db.session.scalars(rows)]


def reasons(one: Import) -> list[str | None]:
    rows = select(ImportRow).where(ImportRow.import_id == one.id).order_by(ImportRow.position)
    return [row.reason for row in db.session.scalars(rows)]


def raised(listing: Listing) -> int:
    found = figures.published(listing)
    return found.minor if found else 0


def entries() -> Counter[str]:
    return Counter(entry.kind.value for entry in db.session.scalars(select(Entry)))


def keys() -> int:
    return db.session.scalar(select(func.count()).select_from(EntryKey)) or 0


def test_a_bill_is_read_and_waits_for_a_person(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    assert one.state is ImportState.REVIEW
    assert (one.source, one.rows, one.charset) == (bill.SOURCE, 4, "gb18030")
    assert verdicts(one) == ["new"] * 4
    assert one.footer is not None
    assert one.footer["agree"] is True
    assert entries() == {}


def test_committed_it_counts(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    [effect] = imports.effects(one)
    bill.commit(one)
    assert one.state is ImportState.COMMITTED
    assert entries() == {"donation": 2, "fee": 1, "refund": 1}
    assert raised(listing) == 10000 + 123450 - 2000
    assert (effect.now.minor, effect.then.minor) == (0, raised(listing))
    assert totals_agree()


def test_the_same_file_again_is_booked_already(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill(THREE), listing))
    again = bill.read(bill.bill(THREE), listing)
    assert verdicts(again) == ["booked"] * 4
    assert imports.of_file(db.session.get_one(File, again.file_id))[1].id < again.id
    bill.commit(again)
    assert sum(entries().values()) == 4
    assert totals_agree()


def test_a_file_may_be_in_another_charset(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE, "utf-8-sig"), listing)
    assert verdicts(one) == ["new"] * 4


def test_a_file_that_is_no_such_export_fails_with_a_sentence(listing: Listing) -> None:
    one = bill.read(b"a,b\n1,2\n", listing)
    assert one.state is ImportState.FAILED
    assert (one.reason or "").startswith(
        "The headings of such an export were not found in the file"
    )


def test_what_a_webhook_booked_under_one_number_is_booked(listing: Listing) -> None:
    """Promise P4: the same payment by webhook under one number and in a bill under another."""
    told = booking(
        listing, ("order", Paid(1).order), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    known = ledger.book(told, NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert verdicts(one) == ["booked", "new", "new", "new"]
    assert entries()["donation"] == 2
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
    assert verdicts(one)[0] == "differs"
    assert raised(listing) == 1050 + 123450 - 2000


def test_what_came_again_after_a_reversal_differs(listing: Listing) -> None:
    told = booking(
        listing, ("trade", Paid(1).trade), source=bill.SOURCE, amount=Money(10000, "CNY")
    )
    known = ledger.book(told, NOON)
    ledger.reverse(db.session.get_one(Entry, known.entry_id), "wrong", NOON)
    db.session.commit()
    one = bill.read(bill.bill(THREE), listing)
    assert verdicts(one)[0] == "differs"
    assert reasons(one)[0] == "It came again after its entry was taken back."


def test_numbers_of_two_movements_are_ambiguous(listing: Listing) -> None:
    for key in (("trade", Paid(1).trade), ("order", Paid(1).order)):
        ledger.book(booking(listing, key, source=bill.SOURCE, amount=Money(10000, "CNY")), NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert verdicts(one)[0] == "ambiguous"
    assert entries()["donation"] == 3


def test_a_refund_known_by_another_sort_of_number_is_ambiguous(listing: Listing) -> None:
    told = booking(
        listing,
        ("request", "RF-1"),
        kind=EntryKind.REFUND,
        amount=Money(2000, "CNY"),
        source=bill.SOURCE,
        regards=f"trade:{Paid(1).trade}",
    )
    ledger.book(told, NOON)
    db.session.commit()
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    assert verdicts(one)[3] == "ambiguous"
    assert entries()["refund"] == 1


def test_two_refunds_of_one_donation_with_numbers_of_their_own_are_two(listing: Listing) -> None:
    two = [Paid(1, 10000), bill.refund(1, 2000, line=2), bill.refund(1, 2000, line=3)]
    bill.commit(bill.read(bill.bill(two), listing))
    assert entries()["refund"] == 2


def test_a_row_twice_in_a_file_is_booked_once(listing: Listing) -> None:
    one = bill.read(bill.bill([Paid(1), Paid(2), Paid(1)]), listing)
    assert verdicts(one) == ["new", "new", "booked"]
    assert reasons(one)[2] == "The same movement stands further up in this file: 6"
    bill.commit(one)
    assert entries() == {"donation": 2}


def test_a_row_twice_with_another_amount_differs(listing: Listing) -> None:
    one = bill.read(bill.bill([Paid(1), Paid(1, 9900)]), listing)
    assert verdicts(one) == ["new", "differs"]


def test_a_row_that_mixes_two_rows_numbers_is_ambiguous(listing: Listing) -> None:
    mixed = bill.bill([Paid(1), Paid(2), Paid(3)]).replace(
        Paid(3).trade.encode(), Paid(1).trade.encode()
    ).replace(Paid(3).order.encode(), Paid(2).order.encode())  # fmt: skip
    one = bill.commit(bill.read(mixed, listing))
    assert verdicts(one)[2] == "ambiguous"
    assert entries() == {"donation": 2}


def test_undone_it_is_as_if_it_had_not_been(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    bill.undo(one, "the wrong month")
    assert one.state is ImportState.UNDONE
    assert raised(listing) == 0
    assert keys() == 0
    assert totals_agree()
    [correction] = db.session.scalars(select(Correction))
    assert (correction.before_minor, correction.after_minor) == (131450, 0)
    assert correction.reason == "the wrong month"


def test_after_undoing_the_file_can_be_booked_again(listing: Listing) -> None:
    bill.undo(bill.commit(bill.read(bill.bill(THREE), listing)), "too early")
    bill.commit(bill.read(bill.bill(THREE), listing))
    assert raised(listing) == 131450
    assert totals_agree()


def test_what_was_corrected_by_hand_is_not_undone(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    wrong = db.session.scalars(select(Entry).where(Entry.amount_minor == 123450)).one()
    right = booking(listing, ("trade", Paid(9).trade), source=bill.SOURCE, amount=Money(123, "CNY"))
    ledger.rebook(wrong, right, NOON)
    db.session.commit()
    bill.undo(one, "the wrong month")
    assert raised(listing) == 123
    assert db.session.get(EntryKey, (bill.SOURCE, "trade", Paid(9).trade)) is not None
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
    assert raised(listing) == 131450


def test_a_row_left_out_is_not_booked(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    by = make.staff()
    assert imports.decide(one, [2], Decision.LEAVE, NOON, by) == 1
    bill.commit(one)
    assert raised(listing) == 8000


def test_rows_of_a_kind_are_left_out(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    imports.decide_all(one, RowVerdict.NEW, EntryKind.REFUND, Decision.LEAVE, NOON, make.staff())
    assert imports.counts(one).planned == 3
    [effect] = imports.effects(one)
    bill.commit(one)
    assert raised(listing) == effect.then.minor == 133450


def test_an_ambiguous_refund_is_booked_if_a_person_says_so(listing: Listing) -> None:
    told = booking(
        listing,
        ("request", "RF-1"),
        kind=EntryKind.REFUND,
        amount=Money(2000, "CNY"),
        source=bill.SOURCE,
        regards=f"trade:{Paid(1).trade}",
    )
    ledger.book(told, NOON)
    db.session.commit()
    one = bill.read(bill.bill(THREE), listing)
    imports.decide(one, [3], Decision.TAKE, NOON, make.staff())
    bill.commit(one)
    assert entries()["refund"] == 2


def test_what_is_known_cannot_be_taken(listing: Listing) -> None:
    bill.commit(bill.read(bill.bill(THREE), listing))
    again = bill.read(bill.bill(THREE), listing)
    assert imports.decide(again, [0, 1, 2, 3], Decision.TAKE, NOON, make.staff()) == 0


def test_a_committed_import_is_not_changed(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE), listing))
    by = make.staff()
    with pytest.raises(imports.NotOpen):
        imports.commit(one, NOON, by)
    with pytest.raises(imports.NotOpen):
        imports.decide(one, [0], Decision.LEAVE, NOON, by)
    with pytest.raises(imports.NotOpen):
        imports.read_again(one, imports.Reading("generic"), NOON, by)


def test_rows_without_a_listing_wait(listing: Listing) -> None:
    one = bill.commit(bill.read(bill.bill(THREE)))
    assert verdicts(one) == ["new"] * 4
    assert entries() == {}
    waiting = imports.waiting_rows()
    assert len(waiting) == 4
    assert imports.assign(waiting, listing, NOON, make.staff()) == {}
    db.session.commit()
    assert raised(listing) == 131450
    assert imports.waiting_rows() == []
    assert totals_agree()


def test_a_row_names_its_listing_and_its_fee_follows(listing: Listing) -> None:
    other = make.listing(rule=Rule.ITEMISED)
    named = [
        Paid(1, goods=listing.external_id),
        bill.fee(1, 60, line=2),
        Paid(2, goods=make_slug(other)),
        Paid(3),
    ]
    one = bill.commit(bill.read(bill.bill(named)))
    assert (raised(listing), raised(other)) == (1050, 1050)
    assert entries() == {"donation": 2, "fee": 1}
    assert imports.counts(one).unplaced == 1


def make_slug(listing: Listing) -> str:
    return db.session.get_one(Campaign, listing.campaign_id).slug


def test_a_rule_places_rows(listing: Listing) -> None:
    rule = Placement(
        source=bill.SOURCE, by=PlacedBy.ORDER, text="DON-", listing_id=listing.id, created_at=NOON
    )
    db.session.add(rule)
    db.session.commit()
    bill.commit(bill.read(bill.bill([Paid(1)])))
    assert raised(listing) == 1050


def test_read_again_for_another_listing_it_counts_there(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), make.listing())
    imports.read_again(
        one, imports.Reading("alipay_account", listing_id=listing.id), NOON, make.staff()
    )
    db.session.commit()
    work_on(one.id)
    db.session.refresh(one)
    bill.commit(one)
    assert raised(listing) == 131450
    assert totals_agree()


def test_who_gave_is_kept_and_gets_no_letter(listing: Listing) -> None:
    paid = [Paid(1, party="张三 (zs@example.org)", note="加油"), Paid(2, party="李四")]
    bill.commit(bill.read(bill.bill(paid), listing))
    named, nameless = db.session.scalars(select(Gift).order_by(Gift.entry_id))
    assert named.donor is not None
    assert (named.donor.address, named.message) == ("zs@example.org", "加油")
    assert nameless.donor is None
    assert db.session.scalars(select(Delivery)).all() == []
    assert db.session.scalars(select(Consent)).all() == []


def test_the_same_address_is_the_same_donor(listing: Listing) -> None:
    known = make.donor("zs@example.org")
    paid = [Paid(1, party="张三 (ZS@example.org)"), Paid(2, party="张三 (zs@example.org)")]
    bill.commit(bill.read(bill.bill(paid), listing))
    assert {gift.donor_id for gift in db.session.scalars(select(Gift))} == {known.id}


def test_rows_assigned_later_keep_their_giver(listing: Listing) -> None:
    make.listing()
    paid = [Paid(1, party="张三 (zs@example.org)", note="加油"), Paid(2, party="李四")]
    bill.commit(bill.read(bill.bill(paid)))
    for _ in range(2):
        imports.assign(imports.waiting_rows(), listing, NOON, make.staff())
    named, nameless = db.session.scalars(select(Gift).order_by(Gift.entry_id))
    assert named.donor is not None
    assert (named.donor.address, named.message) == ("zs@example.org", "加油")
    assert (nameless.donor, nameless.show_name) == (None, False)
    assert db.session.scalars(select(Delivery)).all() == []


def test_a_half_committed_import_counts_nowhere(listing: Listing) -> None:
    one = bill.read(bill.bill(THREE), listing)
    imports.commit(one, NOON, None)
    db.session.commit()
    batch = committing.book(one.id, Pace(rows=2), lambda: NOON)
    next(batch)
    db.session.commit()
    assert len(entries()) > 0
    assert raised(listing) == 0
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
            assert raised(listing) == 131450
    assert raised(listing) == 0
    assert entries() == {"donation": 4, "fee": 2, "refund": 2}
    assert totals_agree()


def _commit(one: Import) -> None:
    imports.commit(one, NOON, None)
    db.session.commit()


def _undo(one: Import) -> None:
    imports.undo(one, "a trial", NOON, make.staff())
    db.session.commit()


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
    assert raised(listing) == 131450
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
    assert entries() == {"donation": 2, "fee": 1, "refund": 1}
    assert verdicts(one) == ["new", "new", "booked", "new"]
    assert raised(listing) == 131450
    assert totals_agree()


def test_under_reported_only_what_came_after_the_report_counts(app: Flask) -> None:
    make.organisation()
    listing = make.listing(rule=Rule.REPORTED)
    make_report(listing, NOON - timedelta(seconds=5))
    one = bill.read(bill.bill([Paid(2, 700), Paid(8, 900)]), listing)
    [effect] = imports.effects(one)
    bill.commit(one)
    assert effect.then.minor == raised(listing) == 50000 + 700


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
