"""What was booked wrongly is taken back and booked anew; both stay visible, and say by whom."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import ledger
from campaigns.bookings import NotReversible, Overtaken
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.delivery import DeliveryState
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing, Rule
from campaigns.money import Money
from tests import make
from tests.books import booking, committed, entries, keys, minor, totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture(autouse=True)
def _agreed(app: Flask) -> Iterator[None]:
    yield
    assert totals_agree()


def test_a_reversal_takes_back_what_was_booked(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    reversal = ledger.reverse(entry, "a test gift", NOON + timedelta(days=2))
    assert (reversal.amount, reversal.donations) == (Money.parse("-10.50 CNY"), -1)
    assert (reversal.day, reversal.occurred_at) == (entry.day, entry.occurred_at)
    assert reversal.booked_at == NOON + timedelta(days=2)


def test_a_second_reversal_is_the_first(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    first = ledger.reverse(entry, "a test gift", NOON)
    assert ledger.reverse(entry, "again", NOON) is first
    assert minor() == [1050, -1050]


def test_a_reversal_is_not_reversed(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    with pytest.raises(NotReversible):
        ledger.reverse(ledger.reverse(entry, "a test gift", NOON), "no", NOON)


def test_a_reversal_says_who_took_back_what_and_why(listing: Listing) -> None:
    by = make.staff()
    given = booking(listing, kind=EntryKind.REFUND, regards="trade:T1")
    refund = db.session.get_one(Entry, ledger.book(given, NOON).entry_id)
    reversal = ledger.reverse(refund, "entered twice", NOON + timedelta(days=1), by.id)
    assert (reversal.staff_id, reversal.reason) == (by.id, "entered twice")
    assert (reversal.regards, reversal.source) == ("trade:T1", "foundation")
    assert (reversal.booked_at, reversal.door) == (NOON + timedelta(days=1), Door.HAND)


def test_a_match_is_taken_back_at_its_stage(listing: Listing) -> None:
    given = booking(listing, kind=EntryKind.MATCH, stage=MatchStage.CONFIRMED)
    match = db.session.get_one(Entry, ledger.book(given, NOON).entry_id)
    assert ledger.reverse(match, "recalled", NOON).stage is MatchStage.CONFIRMED


def test_a_correction_says_who_and_why(listing: Listing) -> None:
    by = make.staff()
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    reversal = ledger.reverse(entry, "entered twice", NOON, by.id)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.staff_id, correction.reason) == (by.id, "entered twice")
    assert correction.entry_id == reversal.id


def test_what_is_booked_anew_says_who_and_why(listing: Listing) -> None:
    by = make.staff()
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    right = booking(listing, amount=Money.parse("9.50 CNY"), staff_id=by.id)
    ledger.rebook(entry, right, NOON, "a slip of the pen")
    reversal = db.session.scalars(select(Entry).where(Entry.reverses == entry.id)).one()
    assert (reversal.staff_id, reversal.reason) == (by.id, "a slip of the pen")


def test_a_reversal_done_twice_leaves_one_correction(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    for _ in range(2):
        ledger.reverse(entry, "entered twice", NOON)
    assert len(db.session.scalars(select(Correction)).all()) == 1


def test_a_figure_that_falls_by_a_reversal_leaves_a_correction(listing: Listing) -> None:
    ledger.book(booking(listing, ("trade", "T0")), NOON)
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    reversal = ledger.reverse(entry, "a test gift", NOON)
    ledger.reverse(entry, "a test gift", NOON)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.amount, correction.after.amount) == ("21.00", "10.50")
    assert (correction.reason, correction.entry_id) == ("a test gift", reversal.id)


def test_a_figure_that_rises_by_a_reversal_needs_no_correction(listing: Listing) -> None:
    refund = booking(listing, kind=EntryKind.REFUND)
    entry = db.session.get_one(Entry, ledger.book(refund, NOON).entry_id)
    ledger.reverse(entry, "never paid out", NOON)
    assert db.session.scalars(select(Correction)).all() == []


def test_rebooking_moves_the_numbers_to_the_new_entry(listing: Listing) -> None:
    wrong = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    right = booking(listing, ("trade", "T1"), ("order", "A"), amount=Money.parse("15.00 CNY"))
    entry = ledger.rebook(wrong, right, NOON)
    assert minor() == [1050, -1050, 1500]
    assert set(keys().values()) == {entry.id}
    assert ledger.book(right, NOON).already
    assert db.session.scalars(select(Correction)).all() == []


def test_rebooking_twice_is_refused(listing: Listing) -> None:
    wrong = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    right = booking(listing, amount=Money.parse("15.00 CNY"))
    ledger.rebook(wrong, right, NOON)
    with pytest.raises(Overtaken):
        ledger.rebook(wrong, right, NOON)
    assert minor() == [1050, -1050, 1500]


def test_of_many_who_book_an_entry_anew_at_once_one_does(app: Flask, listing: Listing) -> None:
    wrong_id = ledger.book(booking(listing), NOON).entry_id
    listing_id = committed(listing)

    def mend(turn: int) -> bool:
        with app.app_context():
            found, wrong = (
                db.session.get_one(Listing, listing_id),
                db.session.get_one(Entry, wrong_id),
            )
            try:
                ledger.rebook(wrong, booking(found, amount=Money(2000 + turn, "CNY")), NOON)
            except Overtaken:
                return False
            finally:
                db.session.commit()
            return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(mend, range(8))).count(True) == 1
    assert len(entries()) == 3
    assert entries()[2].replaces == wrong_id


def test_money_without_a_number_is_booked_anew_once_too(listing: Listing) -> None:
    by_hand = {"keys": (), "door": Door.HAND}
    wrong = db.session.get_one(Entry, ledger.book(booking(listing, **by_hand), NOON).entry_id)
    right = booking(listing, amount=Money.parse("15.00 CNY"), **by_hand)
    ledger.rebook(wrong, right, NOON)
    with pytest.raises(Overtaken):
        ledger.rebook(wrong, right, NOON)
    assert minor() == [1050, -1050, 1500]


def test_who_gave_and_an_unsent_letter_follow_the_money(listing: Listing) -> None:
    wrong = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    db.session.add(Gift(entry_id=wrong.id, donor_id=make.donor().id, message="for books"))
    queued, sent = (
        make.delivery(letter="thanks", mailing_id=None, occasion=f"entry:{n}", entry_id=wrong.id)
        for n in range(2)
    )
    sent.state = DeliveryState.SENT
    other = ledger.book(booking(listing, ("trade", "T2")), NOON).entry_id
    of_other = make.delivery(letter="thanks", mailing_id=None, occasion="other", entry_id=other)
    entry = ledger.rebook(wrong, booking(listing, amount=Money.parse("15.00 CNY")), NOON)
    db.session.expire_all()
    assert (queued.entry_id, sent.entry_id) == (entry.id, wrong.id)
    assert of_other.entry_id == other
    assert [gift.entry_id for gift in db.session.scalars(select(Gift))] == [entry.id]


def test_what_was_rebooked_smaller_leaves_one_correction(listing: Listing) -> None:
    wrong = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    ledger.rebook(wrong, booking(listing, amount=Money.parse("1.50 CNY"), reason="typo"), NOON)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.amount, correction.after.amount) == ("10.50", "1.50")
