"""By whichever doors, in any order and however often it comes, money is in the ledger once."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import func, select

from campaigns import bookings, byhand, correcting, figures, ledger, matching
from campaigns.bookings import STAGES, Booking, Returned
from campaigns.byhand import Known, Movement
from campaigns.db import db
from campaigns.matching import Further, NotLater
from campaigns.model.delivery import Delivery
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver, Key
from tests import make
from tests.books import totals_agree
from tests.make import NOON

SOURCE = "alipay:2088000000000000"
SETTINGS = hypothesis.settings(
    max_examples=30,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
# Each gift has its amount, so that a sum tells which of them are in it.
AMOUNTS = {number: Money(10**number, "CNY") for number in range(1, 6)}


@pytest.fixture
def desk(app: Flask) -> tuple[Listing, Staff]:
    make.organisation()
    return make.listing(rule=Rule.ITEMISED), make.staff()


@pytest.fixture(autouse=True)
def _agreed(app: Flask) -> Iterator[None]:
    yield
    assert totals_agree()


def movement(listing: Listing, number: int, **more: object) -> Movement:
    given: dict[str, object] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": AMOUNTS[number],
        "occurred_at": NOON - timedelta(hours=number),
        "way": None,
        "source": SOURCE,
        "reference": f"T-{number}",
        "giver": Giver(email=f"donor{number}@example.org"),
        "thank": True,
    }
    return Movement(**given | more)  # type: ignore[arg-type]


def told(listing: Listing, number: int, door: Door) -> Booking:
    return Booking(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=AMOUNTS[number],
        occurred_at=NOON - timedelta(hours=number),
        source=SOURCE,
        keys=(Key("trade", f"T-{number}"), Key("order", f"O-{number}")),
        door=door,
    )


gifts = st.tuples(
    st.sampled_from(["by hand", "the same form", "by webhook", "by file", "taken back"]),
    st.sampled_from(sorted(AMOUNTS)),
)


@hypothesis.given(st.lists(gifts, max_size=20))
@SETTINGS
def test_a_gift_counts_once_until_it_is_taken_back(
    desk: tuple[Listing, Staff], happened: list[tuple[str, int]]
) -> None:
    listing, by = desk
    db.session.rollback()  # what the last example did; nothing here is committed
    seen, gone, thanked = set[int](), set[int](), set[int]()
    for turn, (how, number) in enumerate(happened):
        if how == "taken back":
            entry = _standing(number)
            if entry is not None:
                correcting.take_back(entry, "it was wrong", NOON, by)
                gone.add(number)
            continue
        if how in ("by hand", "the same form"):
            token = f"a-form-of-its-own-{turn if how == 'by hand' else number + 1000}"
            with suppress(Known), db.session.begin_nested():
                booked = byhand.book(movement(listing, number), token, NOON, by)
                if not booked.already:
                    thanked.add(number)
        else:
            door = Door.WEBHOOK if how == "by webhook" else Door.FILE
            with suppress(Returned):
                ledger.book(told(listing, number, door), NOON)
        seen.add(number)
    expected = Money.sum((AMOUNTS[number] for number in seen - gone), "CNY")
    assert (figures.published(listing) or Money.zero("CNY")) == expected
    assert db.session.scalar(select(func.count(Delivery.id))) == len(thanked)
    assert db.session.scalar(select(func.count(Entry.id))) == len(seen) + len(gone)


steps = st.tuples(st.sampled_from(["told", "by hand", "again"]), st.sampled_from(STAGES))


@hypothesis.given(st.lists(steps, min_size=1, max_size=10))
@SETTINGS
def test_a_match_stands_once_at_the_furthest_stage_told(
    desk: tuple[Listing, Staff], happened: list[tuple[str, MatchStage]]
) -> None:
    listing, by = desk
    db.session.rollback()
    furthest = -1
    for how, stage in happened:
        standing = matching.standing()
        if how == "by hand" and standing:
            with suppress(NotLater):
                further = Further(stage, AMOUNTS[3], NOON - timedelta(hours=1))
                matching.advance(standing[0], further, NOON, by)
        else:
            ledger.book(_match(listing, stage), NOON)
        furthest = max(furthest, STAGES.index(stage))
    assert [(entry.stage, entry.amount) for entry in matching.standing()] == [
        (STAGES[furthest], AMOUNTS[3])
    ]
    counted = STAGES[furthest] is not MatchStage.ANNOUNCED
    assert (figures.published(listing) or Money.zero("CNY")) == (
        AMOUNTS[3] if counted else Money.zero("CNY")
    )


def _match(listing: Listing, stage: MatchStage) -> Booking:
    return Booking(
        listing=listing,
        kind=EntryKind.MATCH,
        amount=AMOUNTS[3],
        occurred_at=NOON - timedelta(hours=2),
        source=SOURCE,
        keys=(Key("match", "M-1"),),
        door=Door.WEBHOOK,
        stage=stage,
    )


def _standing(number: int) -> Entry | None:
    found = bookings.holding(SOURCE, [Key("trade", f"T-{number}")])
    return next((one for one in found if correcting.reversal_of(one) is None), None)
