"""Money is booked once, under whichever of its numbers and through whichever door it comes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import figures, ledger
from campaigns.bookings import Booking, Differs, NotReversible, Overtaken, Returned
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.delivery import DeliveryState
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing, Rule
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


def booking(listing: Listing, *keys: tuple[str, str], **more: Any) -> Booking:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money.parse("10.50 CNY"),
        "occurred_at": NOON,
        "source": "foundation",
        "keys": tuple(Key(*key) for key in keys or (("trade", "T1"),)),
        "door": Door.WEBHOOK,
    }
    return Booking(**given | more)


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def minor() -> list[int]:
    return [entry.amount_minor for entry in entries()]


def keys() -> dict[tuple[str, str], int]:
    return {(key.scheme, key.value): key.entry_id for key in db.session.scalars(select(EntryKey))}


def _committed(listing: Listing) -> int:
    """The listing's id, with the test's transaction over, so that others may write."""
    listing_id = listing.id
    db.session.commit()
    return listing_id


def totals_agree() -> bool:
    """Whether totals are the sums of the entries that they are kept for."""
    by = (Entry.listing_id, Entry.day, Entry.kind, Entry.currency)
    of_entries = db.session.execute(
        select(*by, func.sum(Entry.amount_minor), func.sum(Entry.donations), func.count())
        .where(
            func.coalesce(Entry.stage, "") != MatchStage.ANNOUNCED, Entry.listing_id.is_not(None)
        )
        .group_by(*by)
    ).all()
    of_totals = db.session.execute(
        select(
            Total.listing_id,
            Total.day,
            Total.kind,
            Total.currency,
            func.sum(Total.amount_minor),
            func.sum(Total.donations),
            func.sum(Total.entries),
        ).group_by(Total.listing_id, Total.day, Total.kind, Total.currency)
    ).all()
    return set(map(tuple, of_entries)) == set(map(tuple, of_totals))


@pytest.fixture(autouse=True)
def _agreed(app: Flask) -> Iterator[None]:
    yield
    assert totals_agree()


def test_a_movement_is_booked_once(listing: Listing) -> None:
    first = ledger.book(booking(listing), NOON)
    second = ledger.book(booking(listing), NOON + timedelta(days=3))
    assert (second.entry_id, second.already) == (first.entry_id, True)
    assert minor() == [1050]


def test_refunds_and_chargebacks_are_taken_off(listing: Listing) -> None:
    ledger.book(booking(listing), NOON)
    ledger.book(booking(listing, ("refund", "R1"), kind=EntryKind.REFUND), NOON)
    ledger.book(booking(listing, ("chargeback", "C1"), kind=EntryKind.CHARGEBACK), NOON)
    assert minor() == [1050, -1050, -1050]
    assert figures.published(listing) == Money.parse("-10.50 CNY")


def test_one_payment_by_two_doors_under_two_numbers_is_one_entry(listing: Listing) -> None:
    ledger.book(booking(listing, ("trade", "T1")), NOON)
    bill = booking(listing, ("trade", "T1"), ("order", "A-17"), door=Door.FILE)
    assert ledger.book(bill, NOON).already
    by_order = booking(listing, ("order", "A-17"), ("line", "7"))
    assert ledger.book(by_order, NOON).already
    assert len(entries()) == 1
    assert set(keys()) == {("trade", "T1"), ("order", "A-17"), ("line", "7")}


def test_the_same_number_of_another_source_is_another_movement(listing: Listing) -> None:
    ledger.book(booking(listing), NOON)
    ledger.book(booking(listing, source="elsewhere"), NOON)
    assert minor() == [1050, 1050]


def test_two_partial_refunds_are_two_entries(listing: Listing) -> None:
    half = {"kind": EntryKind.REFUND, "amount": Money.parse("5.00 CNY"), "regards": "trade:T1"}
    ledger.book(booking(listing, ("refund", "R1"), **half), NOON)
    ledger.book(booking(listing, ("refund", "R2"), **half), NOON)
    assert minor() == [-500, -500]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": Money.parse("10.51 CNY")},
        {"amount": Money.parse("10.50 USD")},
        {"kind": EntryKind.PAYOUT},
    ],
)
def test_a_number_with_another_amount_or_kind_is_not_booked(
    listing: Listing, other: dict[str, Any]
) -> None:
    ledger.book(booking(listing), NOON)
    with pytest.raises(Differs, match="trade T1"):
        ledger.book(booking(listing, ("trade", "T1"), ("order", "new"), **other), NOON)
    assert minor() == [1050]
    assert ("order", "new") not in keys()


def test_numbers_of_two_entries_are_not_one_movement(listing: Listing) -> None:
    ledger.book(booking(listing, ("trade", "T1")), NOON)
    ledger.book(booking(listing, ("order", "A-17")), NOON)
    with pytest.raises(Differs, match="more than one"):
        ledger.book(booking(listing, ("trade", "T1"), ("order", "A-17")), NOON)


def test_what_comes_by_itself_has_a_number(listing: Listing) -> None:
    with pytest.raises(ValueError, match="number"):
        booking(listing, keys=())


def test_a_booking_states_a_positive_amount(listing: Listing) -> None:
    with pytest.raises(ValueError, match="positive"):
        booking(listing, amount=Money.parse("-1.00 CNY"))


def test_twenty_at_once_end_as_one_entry(app: Flask, listing: Listing) -> None:
    listing_id = _committed(listing)

    def book(_: int) -> tuple[int, bool]:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            booked = ledger.book(booking(found, ("trade", "T1"), ("order", "A")), NOON)
            db.session.commit()
            return booked.entry_id, booked.already

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(book, range(20)))
    assert len({entry_id for entry_id, _ in results}) == 1
    assert [already for _, already in results].count(False) == 1
    assert minor() == [1050]


def test_numbers_in_opposite_order_do_not_lock_each_other(app: Flask, listing: Listing) -> None:
    numbers, listing_id = (("trade", "T1"), ("order", "A")), _committed(listing)

    def book(turn: int) -> int:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            some = numbers if turn % 2 else numbers[::-1]
            booked = ledger.book(booking(found, *some), NOON)
            db.session.commit()
            return booked.entry_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(book, range(8)))) == 1


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


def test_what_is_refused_names_the_numbers(listing: Listing) -> None:
    ledger.book(booking(listing, ("trade", "T1"), ("order", "A-1")), NOON)
    with pytest.raises(Differs, match="order A-1, trade T1 .* donation of 10.50 CNY"):
        ledger.book(
            booking(listing, ("trade", "T1"), ("order", "A-1"), amount=Money(1, "CNY")), NOON
        )


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


def test_money_that_comes_again_after_its_reversal_waits(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    ledger.reverse(entry, "a test gift", NOON)
    with pytest.raises(Returned):
        ledger.book(booking(listing), NOON)
    assert minor() == [1050, -1050]


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
    listing_id = _committed(listing)

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
    entry = ledger.rebook(wrong, booking(listing, amount=Money.parse("15.00 CNY")), NOON)
    db.session.expire_all()
    assert (queued.entry_id, sent.entry_id) == (entry.id, wrong.id)
    assert [gift.entry_id for gift in db.session.scalars(select(Gift))] == [entry.id]


def test_what_was_rebooked_smaller_leaves_one_correction(listing: Listing) -> None:
    wrong = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    ledger.rebook(wrong, booking(listing, amount=Money.parse("1.50 CNY"), reason="typo"), NOON)
    correction = db.session.scalars(select(Correction)).one()
    assert (correction.before.amount, correction.after.amount) == ("10.50", "1.50")


def test_an_entry_lies_in_the_organisations_day(listing: Listing) -> None:
    make.organisation(timezone="Asia/Shanghai")
    late = NOON.replace(hour=16, minute=30)  # half past midnight in Shanghai
    ledger.book(booking(listing, occurred_at=late), NOON)
    assert entries()[0].day == date(2026, 11, 23)


def test_an_announced_match_is_not_counted(listing: Listing) -> None:
    match = {"kind": EntryKind.MATCH, "stage": MatchStage.ANNOUNCED}
    ledger.book(booking(listing, ("match", "M1"), **match), NOON)
    assert db.session.scalars(select(Total)).all() == []
    assert figures.published(listing) is None


def match(listing: Listing, stage: MatchStage, **more: Any) -> Booking:
    return booking(listing, ("match", "M1"), kind=EntryKind.MATCH, stage=stage, **more)


def test_a_match_gets_further_by_any_door(listing: Listing) -> None:
    announced = match(listing, MatchStage.ANNOUNCED, door=Door.HAND)
    first = ledger.book(announced, NOON).entry_id
    second = ledger.book(match(listing, MatchStage.CONFIRMED), NOON)
    third = ledger.book(match(listing, MatchStage.RECEIVED, door=Door.FILE), NOON)
    assert (second.already, third.already) == (False, False)
    stages = [(entry.stage, entry.amount_minor, entry.replaces) for entry in entries()]
    assert stages == [
        (MatchStage.ANNOUNCED, 1050, None),
        (MatchStage.ANNOUNCED, -1050, None),
        (MatchStage.CONFIRMED, 1050, first),
        (MatchStage.CONFIRMED, -1050, None),
        (MatchStage.RECEIVED, 1050, second.entry_id),
    ]
    assert figures.published(listing) == Money.parse("10.50 CNY")
    assert db.session.scalars(select(Correction)).all() == []


def test_a_match_goes_back_to_no_earlier_stage(listing: Listing) -> None:
    received = ledger.book(match(listing, MatchStage.RECEIVED), NOON)
    for stage in MatchStage:
        again = ledger.book(match(listing, stage), NOON)
        assert (again.entry_id, again.already) == (received.entry_id, True)
    assert minor() == [1050]


def test_a_match_that_comes_with_another_amount_waits_for_a_person(listing: Listing) -> None:
    ledger.book(match(listing, MatchStage.ANNOUNCED), NOON)
    with pytest.raises(Differs):
        ledger.book(match(listing, MatchStage.CONFIRMED, amount=Money.parse("8.00 CNY")), NOON)
    assert minor() == [1050]


def test_a_match_that_was_taken_back_does_not_advance(listing: Listing) -> None:
    first = ledger.book(match(listing, MatchStage.ANNOUNCED), NOON).entry_id
    ledger.reverse(db.session.get_one(Entry, first), "it was withdrawn", NOON)
    with pytest.raises(Returned):
        ledger.book(match(listing, MatchStage.CONFIRMED), NOON)


def test_of_many_who_hear_of_a_stage_at_once_one_books_it(app: Flask, listing: Listing) -> None:
    ledger.book(match(listing, MatchStage.ANNOUNCED), NOON)
    listing_id = _committed(listing)

    def hear(_: int) -> int:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            booked = ledger.book(match(found, MatchStage.CONFIRMED), NOON)
            db.session.commit()
            return booked.entry_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(hear, range(8)))) == 1
    assert minor() == [1050, -1050, 1050]


def test_totals_spread_over_slots(listing: Listing) -> None:
    for number in range(60):
        ledger.book(booking(listing, ("trade", str(number))), NOON)
    slots = db.session.scalars(select(Total.slot)).all()
    assert 4 < len(slots) <= 16
    assert figures.published(listing) == Money.parse("630.00 CNY")
