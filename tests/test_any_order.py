"""Any order and any repetition of the same notices gives the same ledger and totals."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from campaigns import intake, notices, progress
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.listing import Rule
from campaigns.money import Money
from campaigns.notices import Came
from campaigns.platforms.base import Giver, Key, Kind, Movement
from tests import make
from tests.books import totals_agree
from tests.make import NOON

SCHEMES = {
    Kind.DONATION: "trade",
    Kind.REFUND: "refund",
    Kind.CHARGEBACK: "chargeback",
    Kind.MATCH: "match",
}
SIGNS = {Kind.DONATION: 1, Kind.MATCH: 1, Kind.REFUND: -1, Kind.CHARGEBACK: -1}


@strategies.composite
def told(draw: strategies.DrawFn) -> list[Movement]:
    """Movements as a partner tells of them, each with a number of its own."""
    shapes = draw(
        strategies.lists(
            strategies.tuples(
                strategies.sampled_from(list(SCHEMES)),
                strategies.integers(1, 10**12),
                strategies.sampled_from(["CNY", "USD"]),
                strategies.integers(-3 * 24, 0),
                strategies.sampled_from([None, "ada@example.org", "bo@example.org", "none"]),
                strategies.booleans(),
            ),
            min_size=1,
            max_size=6,
        )
    )
    return [_movement(number, *shape) for number, shape in enumerate(shapes)]


def _movement(
    number: int, kind: Kind, minor: int, currency: str, hours: int, email: str | None, two: bool
) -> Movement:
    keys = (Key(SCHEMES[kind], str(number)), Key("order", f"O-{number}"))
    return Movement(
        kind=kind,
        amount=Money(minor, currency),
        occurred_at=NOON + timedelta(hours=hours),
        keys=keys if two else keys[:1],
        donor=Giver(email=email, updates=two) if email else None,
    )


@strategies.composite
def heard(draw: strategies.DrawFn) -> tuple[list[Movement], list[int]]:
    """Movements, and the order in which they arrive: each at least once, some again."""
    movements = draw(told())
    once = range(len(movements))
    again = draw(strategies.lists(strategies.sampled_from(once), max_size=6))
    return movements, draw(strategies.permutations([*once, *again]))


@pytest.fixture
def endpoint(app: Flask) -> WebhookEndpoint:
    return make.endpoint(listing=make.listing(rule=Rule.ITEMISED))


@hypothesis.given(heard(), strategies.data())
@hypothesis.settings(
    max_examples=30,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_any_order_and_repetition_gives_the_same_ledger(
    endpoint: WebhookEndpoint,
    arrived: tuple[list[Movement], list[int]],
    data: strategies.DataObject,
) -> None:
    movements, order = arrived
    db.session.rollback()  # what the last example did; nothing here is committed
    for turn, number in enumerate(order):
        # Sent again as the same event, or told of by another one.
        event = number if data.draw(strategies.booleans()) else 1000 + turn
        _arrives(endpoint, event, movements[number])
    assert _ledger() == _expected(movements)
    assert totals_agree()
    assert _letters() == sum(_is_thanked(movement) for movement in movements)
    assert _public() == _sum(movements)


def _arrives(endpoint: WebhookEndpoint, event: int, movement: Movement) -> None:
    """As the door does it: at once if that goes, else the careful way."""
    came = Came(f"evt-{event}", repr(movement).encode(), {}, NOON)
    try:
        with db.session.begin_nested():
            outcome = intake.at_once(endpoint, came, movement)
    except IntegrityError:
        outcome = None
    if outcome is not None:
        return
    kept = notices.take(endpoint, came)
    if kept.new:
        assert intake.book(kept.notice_id, endpoint, [movement], NOON) == intake.BOOKED


def _ledger() -> set[tuple[Any, ...]]:
    rows = db.session.execute(
        select(
            Entry.kind,
            Entry.amount_minor,
            Entry.currency,
            Entry.occurred_at,
            EntryKey.scheme,
            EntryKey.value,
        ).join(EntryKey, EntryKey.entry_id == Entry.id)
    )
    assert db.session.scalar(select(func.count()).select_from(Entry)) == len(
        set(db.session.scalars(select(EntryKey.entry_id)))
    )
    return {tuple(row) for row in rows}


def _expected(movements: Iterable[Movement]) -> set[tuple[Any, ...]]:
    return {
        (
            EntryKind(one.kind),
            SIGNS[one.kind] * one.amount.minor,
            one.amount.currency,
            one.occurred_at,
            *key,
        )
        for one in movements
        for key in one.keys
    }


def _is_thanked(movement: Movement) -> bool:
    giver = movement.donor
    return movement.kind is Kind.DONATION and giver is not None and "@" in (giver.email or "")


def _letters() -> int | None:
    return db.session.scalar(select(func.count()).select_from(Delivery))


def _sum(movements: Iterable[Movement]) -> Money:
    yuan = [one for one in movements if one.amount.currency == "CNY"]
    return Money(sum(SIGNS[one.kind] * one.amount.minor for one in yuan), "CNY")


def _public() -> Money:
    campaign = db.session.scalars(select(Campaign)).one()
    return progress.of(campaign, NOON).raised
