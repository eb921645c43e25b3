"""Sums: what an import adds to figures, or takes from them, all at once."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from campaigns import figures
from campaigns.db import db, mostly
from campaigns.figures import Fall
from campaigns.model.correction import Cause
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.totals import Sum


def of_entries(import_id: int, *, reversals: bool = False) -> list[Sum]:
    """An import's entries, or the reversals that undo it, by listing, day, kind and currency.

    On a connection of its own that only reads, so that nobody waits for it.
    """
    entry = aliased(Entry)
    grouped = (entry.listing_id, entry.day, entry.kind, entry.currency)
    booked = aliased(Entry) if reversals else entry
    which = [booked.import_id == import_id, mostly(booked.reverses.is_(None))]
    if reversals:
        which += [entry.import_id == import_id, entry.reverses == booked.id]
    counted = (func.sum(entry.amount_minor), func.sum(entry.donations), func.count())
    engine = db.engine.execution_options(reading=True, postgresql_readonly=True)
    with engine.connect() as connection:
        rows = connection.execute(select(*grouped, *counted).where(*which).group_by(*grouped))
        return [
            Sum(listing_id, day, kind, currency, int(amount), int(donations), entries)
            for listing_id, day, kind, currency, amount, donations, entries in rows
            if listing_id is not None
        ]


@contextmanager
def corrections(
    sums: Sequence[Sum], reason: str, now: datetime, staff_id: int | None
) -> Iterator[None]:
    """Leave a Correction for every listing whose published figure falls by what happens within."""
    listings = _listings({one.listing_id for one in sums})
    found = figures.of(listings)
    before = {
        one.id: found[one.id].raised(one.currency) if found[one.id].known else None
        for one in listings
    }
    yield
    for listing in listings:
        fall = Fall(Cause.REVERSAL, reason, now, staff_id)
        figures.correct(listing, before[listing.id], fall)


def _listings(ids: Collection[int]) -> list[Listing]:
    return list(db.session.scalars(select(Listing).where(Listing.id.in_(ids)).order_by(Listing.id)))
