"""Entering: many movements that nobody told of before, by a few statements for all of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import IntegrityError

from campaigns import bookings, figures, totals
from campaigns.bookings import KEYS, Booking
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKind
from campaigns.totals import Sum

ENTRIES = cast(Table, Entry.__table__)
_NEXT_IDS = text(
    "SELECT nextval(pg_get_serial_sequence('entries', 'id')) FROM generate_series(1, :many)"
)


def book(many: Sequence[Booking], now: datetime) -> list[int | None]:
    """Enter those of many movements that are plainly new, and add them to their totals.

    The entry of each; None for one that `ledger.book` has to look at: one of its numbers is known,
    or stands further up here, or it is about another movement, or a match with its stages. Where
    somebody books one of them at this moment it is None for all.
    """
    seen = bookings.taken(many)
    new: list[int] = []
    for place, booking in enumerate(many):
        plain = booking.regards is None and booking.kind is not EntryKind.MATCH
        if plain and seen.isdisjoint(booking.numbers):
            new.append(place)
        seen.update(booking.numbers)
    try:
        with db.session.begin_nested():
            ids = dict(zip(new, _enter([many[place] for place in new], now), strict=True))
    except IntegrityError:
        ids = {}
    return [ids.get(place) for place in range(len(many))]


def _enter(new: Sequence[Booking], now: datetime) -> list[int]:
    if not new:
        return []
    zone = figures.zone()
    days = [booking.occurred_at.astimezone(zone).date() for booking in new]
    ids = _next_ids(len(new))
    values = [
        bookings.values(booking, day, now) | {"id": entry_id}
        for booking, day, entry_id in zip(new, days, ids, strict=True)
    ]
    db.session.execute(ENTRIES.insert(), values)
    numbers = [
        row
        for booking, entry_id in zip(new, ids, strict=True)
        for row in bookings.rows(entry_id, booking.source, booking.keys)
    ]
    if numbers:
        # In the one order in which all doors insert numbers, so that none wait in a ring.
        numbers.sort(key=lambda row: (row["source"], row["scheme"], row["value"]))
        db.session.execute(KEYS.insert(), numbers)
    totals.add_sums(_sums(new, days))
    return ids


def _next_ids(many: int) -> list[int]:
    """Ids for new entries, taken beforehand: to be told them one insertion at a time is slow.

    On SQLite nobody else writes in this transaction, and no entry is ever deleted.
    """
    if db.engine.dialect.name == "sqlite":
        last = db.session.scalar(select(func.max(ENTRIES.c.id))) or 0
        return list(range(last + 1, last + 1 + many))
    return list(db.session.scalars(_NEXT_IDS, {"many": many}))


def _sums(new: Sequence[Booking], days: Sequence[date]) -> list[Sum]:
    found: defaultdict[tuple[int, date, EntryKind, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for booking, day in zip(new, days, strict=True):
        signed = booking.signed
        sums = found[booking.listing.id, day, booking.kind, signed.currency]
        sums[:] = sums[0] + signed.minor, sums[1] + booking.gifts, sums[2] + 1
    return [Sum(*key, *sums) for key, sums in found.items()]
