"""Money is booked once, under whichever of its numbers and through whichever door it comes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from campaigns import figures, ledger
from campaigns.bookings import Booking, Differs, Returned
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage, Way
from campaigns.model.listing import Listing, Rule
from campaigns.model.total import Total
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


@pytest.mark.parametrize("kind", EntryKind)
def test_only_a_donation_is_counted_as_a_gift(listing: Listing, kind: EntryKind) -> None:
    stage = MatchStage.CONFIRMED if kind is EntryKind.MATCH else None
    ledger.book(booking(listing, kind=kind, stage=stage), NOON)
    assert entries()[0].donations == (1 if kind is EntryKind.DONATION else 0)
    ledger.book(booking(listing, ("trade", "T2"), kind=kind, stage=stage, donations=7), NOON)
    assert entries()[1].donations == 7


def test_an_entry_says_which_way_it_came_and_in_which_row(listing: Listing) -> None:
    writing = make.importing("foundation")
    row = {"import_id": writing.id, "import_row": 17, "door": Door.FILE}
    ledger.book(booking(listing, ("trade", "T1"), way=Way.CASH, door=Door.HAND), NOON)
    ledger.book(booking(listing, ("trade", "T2"), **row), NOON)
    by_hand, of_file = entries()
    assert (by_hand.way, by_hand.door, by_hand.import_id) == (Way.CASH, Door.HAND, None)
    assert (of_file.import_id, of_file.import_row) == (writing.id, 17)
    db.session.rollback()


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


@pytest.mark.parametrize("minor", [-100, -1, 0])
def test_a_booking_states_a_positive_amount(listing: Listing, minor: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        booking(listing, amount=Money(minor, "CNY"))


def test_twenty_at_once_end_as_one_entry(app: Flask, listing: Listing) -> None:
    listing_id = committed(listing)

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
    numbers, listing_id = (("trade", "T1"), ("order", "A")), committed(listing)

    def book(turn: int) -> int:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            some = numbers if turn % 2 else numbers[::-1]
            booked = ledger.book(booking(found, *some), NOON)
            db.session.commit()
            return booked.entry_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(book, range(8)))) == 1


def test_what_is_refused_names_the_numbers(listing: Listing) -> None:
    ledger.book(booking(listing, ("trade", "T1"), ("order", "A-1")), NOON)
    with pytest.raises(Differs, match="as another kind of money: order A-1, trade T1, 10.50 CNY"):
        ledger.book(
            booking(listing, ("trade", "T1"), ("order", "A-1"), amount=Money(1, "CNY")), NOON
        )


def test_money_that_comes_again_after_its_reversal_waits(listing: Listing) -> None:
    entry = db.session.get_one(Entry, ledger.book(booking(listing), NOON).entry_id)
    ledger.reverse(entry, "a test gift", NOON)
    with pytest.raises(Returned, match="reversed: trade T1$"):
        ledger.book(booking(listing), NOON)
    assert minor() == [1050, -1050]


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
    reasons = [entry.reason for entry in entries() if entry.reverses is not None]
    assert reasons == ["announced → confirmed", "confirmed → received"]
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
    listing_id = committed(listing)

    def hear(_: int) -> tuple[int, bool]:
        with app.app_context():
            found = db.session.get_one(Listing, listing_id)
            booked = ledger.book(match(found, MatchStage.CONFIRMED), NOON)
            db.session.commit()
            return booked.entry_id, booked.already

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(hear, range(8)))
    assert len({entry_id for entry_id, _ in heard}) == 1
    assert sorted(already for _, already in heard) == [False, *[True] * 7]
    assert minor() == [1050, -1050, 1050]


def test_totals_spread_over_slots(listing: Listing) -> None:
    for number in range(60):
        ledger.book(booking(listing, ("trade", str(number))), NOON)
    slots = db.session.scalars(select(Total.slot)).all()
    assert 4 < len(slots) <= 16
    assert figures.published(listing) == Money.parse("630.00 CNY")
