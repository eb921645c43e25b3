"""Refunds by whichever doors and numbers, in any order and however often: never one too many."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import accumulate
from typing import NamedTuple

import hypothesis
from hypothesis import strategies as st
from sqlalchemy import func, select

from campaigns import byhand, ledger, refunds
from campaigns.bookings import Booking, LedgerError
from campaigns.byhand import Refused
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.books import totals_agree
from tests.make import NOON

SOURCE = "wechatpay:1900000001"
SETTINGS = hypothesis.settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


class Refund(NamedTuple):
    """One that truly happened, of one and the same donation."""

    number: int
    fen: int
    hours: int


TRUE = (Refund(0, 2000, 0), Refund(1, 2000, 1), Refund(2, 2000, 72), Refund(3, 1000, 0))
# Which of a refund's numbers a door knows.
DOORS = {
    "statement": (Door.FILE, ("line",)),
    "bill": (Door.FILE, ("request",)),
    "notice": (Door.WEBHOOK, ("refund", "request")),
}
steps = st.lists(st.tuples(st.sampled_from(sorted(DOORS)), st.sampled_from(TRUE)), max_size=15)


def told(listing: Listing, door: Door, sorts: tuple[str, ...], one: Refund) -> Booking:
    return Booking(
        listing=listing,
        kind=EntryKind.REFUND,
        amount=Money(one.fen, "CNY"),
        occurred_at=NOON + timedelta(hours=one.hours),
        source=SOURCE,
        keys=tuple(Key(sort, f"{sort} {one.number}") for sort in sorts),
        door=door,
        regards="trade:T-1",
    )


def booked() -> Counter[int]:
    assert totals_agree()
    return Counter(-amount for amount in db.session.scalars(select(Entry.amount_minor)))


@hypothesis.given(steps)
@SETTINGS
def test_a_refund_is_never_booked_twice_and_is_not_lost(
    listing: Listing, happened: list[tuple[str, Refund]]
) -> None:
    db.session.rollback()  # what the last example did; nothing here is committed
    heard: set[Refund] = set()
    for door, one in happened:
        heard.add(one)
        with suppress(LedgerError):
            ledger.book(told(listing, *DOORS[door], one), NOON)
        assert booked() <= Counter(one.fen for one in heard)
    waiting = 0
    for door in ("notice", "statement"):
        for one in TRUE:
            try:
                ledger.book(told(listing, *DOORS[door], one), NOON)
            except LedgerError:
                waiting += 1
    assert booked() <= Counter(one.fen for one in TRUE)
    assert waiting or booked() == Counter(one.fen for one in TRUE)


PARTS = (Refund(0, 2000, 0), Refund(1, 3000, 1), Refund(2, 2000, 2))
SUMS = tuple(accumulate(one.fen for one in PARTS))
sum_steps = st.lists(
    st.tuples(st.sampled_from(["sum", "statement", "bill"]), st.sampled_from(PARTS)), max_size=12
)


@hypothesis.given(sum_steps)
@SETTINGS
def test_refunds_told_of_as_a_sum_are_never_more_than_that_sum(
    listing: Listing, happened: list[tuple[str, Refund]]
) -> None:
    """As Alipay's notices tell of them, beside its account statement and its business bill."""
    db.session.rollback()
    heard: set[Refund] = set()
    for how, one in happened:
        heard |= set(PARTS[: one.number + 1]) if how == "sum" else {one}
        with suppress(LedgerError):
            if how == "sum":
                so_far = one._replace(fen=SUMS[one.number])
                refunds.book(told(listing, Door.WEBHOOK, ("request",), so_far), NOON)
            else:
                ledger.book(told(listing, *DOORS[how], one), NOON)
        assert totals_agree()
        assert _sum() <= sum(one.fen for one in heard)
    last = PARTS[-1]._replace(fen=SUMS[-1])
    refunds.book(told(listing, Door.WEBHOOK, ("request",), last), NOON)
    assert _sum() == SUMS[-1]


def _sum() -> int:
    return -int(db.session.scalar(select(func.sum(Entry.amount_minor))) or 0)


@hypothesis.given(st.lists(st.sampled_from(["hand", *sorted(DOORS)]), min_size=1, max_size=8))
@SETTINGS
def test_a_person_who_writes_it_down_too_does_not_double_it(
    listing: Listing, happened: list[str]
) -> None:
    db.session.rollback()
    by = db.session.scalar(select(Staff)) or make.staff()
    for how in happened:
        if how == "hand":
            with suppress(Refused), db.session.begin_nested():
                byhand.book(_written(listing), "a form of its own", NOON, by)
        else:
            ledger.book(told(listing, *DOORS[how], TRUE[0]), NOON)
        assert booked().total() == 1


def _written(listing: Listing) -> byhand.Movement:
    return byhand.Movement(
        listing=listing,
        kind=EntryKind.REFUND,
        amount=Money(TRUE[0].fen, "CNY"),
        occurred_at=NOON - timedelta(hours=1),
        way=None,
        source=SOURCE,
        regards="trade:T-1",
    )
