"""Many movements are entered by few statements, and just as one by one they would be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, func, insert, select

from campaigns import byhand, entering, ledger
from campaigns.bookings import Booking
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry, EntryKey, EntryKind, MatchStage, Way
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver
from tests import make
from tests.books import booking, entries, totals_agree
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def by(app: Flask) -> Staff:
    return make.staff()


@contextmanager
def counting() -> Iterator[list[str]]:
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def gift(listing: Listing, number: int, **more: Any) -> Movement:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money(1000 + number, "CNY"),
        "occurred_at": NOON,
        "way": Way.CASH,
        "giver": Giver(name=f"Donor {number}", email=f"donor{number}@example.org"),
        "thank": True,
    }
    return Movement(**given | more)


def count(noun: type) -> int:
    return db.session.scalar(select(func.count()).select_from(noun)) or 0


def test_ten_times_the_rows_take_no_more_statements(listing: Listing, by: Staff) -> None:
    asked = []
    for rows in (20, 200):
        with counting() as said:
            numbered = [(number, gift(listing, number)) for number in range(rows)]
            booked = byhand.book_all(numbered, f"a form of {rows}", NOON, by)
        assert [row.booked is not None for row in booked] == [True] * rows
        asked.append(len(said))
    assert asked[1] <= asked[0] < 40
    assert (count(Entry), count(Gift), count(Delivery), count(Donor)) == (220, 220, 220, 200)
    assert totals_agree()


def test_each_entry_has_its_own_amount_giver_and_numbers(listing: Listing, by: Staff) -> None:
    rows = [(number, gift(listing, number, reference=f"B-{number}")) for number in range(30)]
    for row in byhand.book_all(rows, "a form", NOON, by):
        assert row.booked
        entry = db.session.get_one(Entry, row.booked.entry_id)
        assert entry.amount_minor == 1000 + row.number
        assert {key.value for key in entry.keys} == {f"a form.{row.number}", f"B-{row.number}"}
        assert db.session.get_one(Gift, entry.id).public_name == f"Donor {row.number}"


def test_the_same_giver_in_two_rows_is_one_donor(listing: Listing, by: Staff) -> None:
    one = Giver(name="Lin", email="Lin@example.org"), Giver(email="lin@example.org")
    rows = [(number, gift(listing, number, giver=giver)) for number, giver in enumerate(one)]
    byhand.book_all(rows, "a form", NOON, by)
    [donor] = db.session.scalars(select(Donor))
    assert donor.name == "Lin"
    assert count(Gift) == 2


def test_each_row_is_what_it_would_be_one_by_one(listing: Listing) -> None:
    late = NOON.replace(hour=16, minute=30)  # half past midnight in Shanghai
    many = [
        booking(listing, ("trade", "1"), occurred_at=late, way=Way.CASH, reason="a fair"),
        booking(listing, ("trade", "2"), donations=3),
        booking(listing, ("trade", "3"), donations=5),
        booking(listing, ("payout", "4"), kind=EntryKind.PAYOUT, amount=Money(7, "USD")),
    ]
    together, one_by_one = (
        _left_by(lambda: entering.book(many, NOON)),
        _left_by(lambda: [ledger.book(one, NOON) for one in many]),
    )
    assert len(together) == 4
    assert together == one_by_one


def _left_by(book: Callable[[], object]) -> list[dict[str, object]]:
    """The entries without their ids, which are then forgotten again."""
    book()
    assert totals_agree()
    columns = [column.name for column in Entry.__table__.columns if column.name != "id"]
    rows = db.session.execute(select(Entry.__table__).order_by(Entry.id)).mappings()
    found = [{name: row[name] for name in columns} for row in rows]
    db.session.rollback()
    return found


def test_what_is_not_plainly_new_is_left_to_the_ledger(listing: Listing) -> None:
    known = ledger.book(booking(listing, ("trade", "known")), NOON)
    match = {"kind": EntryKind.MATCH, "stage": MatchStage.CONFIRMED}
    many: list[Booking] = [
        booking(listing, ("trade", "new"), ("order", "one")),
        booking(listing, ("trade", "known")),
        booking(listing, ("trade", "other"), ("order", "one")),
        booking(listing, ("refund", "R"), kind=EntryKind.REFUND, regards="trade:new"),
        booking(listing, ("match", "M"), **match),
        booking(listing, ("trade", "known"), source="another"),
    ]
    entered = entering.book(many, NOON)
    assert [one is not None for one in entered] == [True, False, False, False, False, True]
    assert len(entries()) == 3
    assert known.entry_id not in entered
    assert totals_agree()


def test_nothing_is_entered_where_somebody_is_quicker(listing: Listing) -> None:
    quicker: list[int] = []

    def meanwhile(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("SELECT entry_keys") and not quicker:
            quicker.append(0)
            theirs = {"source": "foundation", "scheme": "trade", "value": "T-2", "entry_id": 99}
            connection.execute(insert(EntryKey).values(theirs))

    many = [booking(listing, ("trade", f"T-{number}")) for number in range(3)]
    event.listen(db.engine, "after_cursor_execute", meanwhile)
    try:
        assert entering.book(many, NOON) == [None] * 3
    finally:
        event.remove(db.engine, "after_cursor_execute", meanwhile)
    assert (len(entries()), count(EntryKey), totals_agree()) == (0, 1, True)


def test_nothing_is_nothing(listing: Listing, by: Staff) -> None:
    assert entering.book([], NOON) == []
    assert byhand.book_all([], "a form", NOON, by) == []
