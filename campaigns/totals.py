"""Totals: sums of entries, kept in the transaction that adds them (design §6)."""

import random
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import NamedTuple, cast

from sqlalchemy import Executable, Table

from campaigns.db import db, insert
from campaigns.model.entry import EntryKind
from campaigns.model.total import SLOTS, Total
from campaigns.money import Money

TOTALS = cast(Table, Total.__table__)


class Sum(NamedTuple):
    """Entries of one listing, day, kind and currency: their sum, and how many they are."""

    listing_id: int
    day: date
    kind: EntryKind
    currency: str
    amount: int
    donations: int
    entries: int


def add(listing_id: int, kind: EntryKind, amount: Money, day: date, donations: int) -> None:
    """Add one entry to its total, in a slot of chance so that nobody waits for a single row."""
    add_sums([Sum(listing_id, day, kind, amount.currency, amount.minor, donations, 1)])


def add_sums(sums: Sequence[Sum]) -> None:
    """Add many entries to their totals; two that add the same at once wait and never in a ring."""
    if sums:
        added = _addition(db.engine.dialect.name)
        db.session.execute(added, [one._asdict() | {"slot": any_slot()} for one in sorted(sums)])


def any_slot() -> int:
    """One of the rows that a total is spread over."""
    return random.randrange(SLOTS)  # noqa: S311 - spreads load, guards nothing


@cache
def _addition(dialect: str) -> Executable:
    """The statement of `add_sums`, which differs by database; to build it costs more than to run
    it."""
    statement = insert(TOTALS)
    return statement.on_conflict_do_update(
        index_elements=list(TOTALS.primary_key.columns),
        set_={
            name: TOTALS.c[name] + statement.excluded[name]
            for name in ("amount", "donations", "entries")
        },
    )
