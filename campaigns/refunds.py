"""Refunds that are told of as a sum so far: what is new of it is booked, once."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.orm import aliased

from campaigns import bookings, ledger, turns
from campaigns.bookings import KEYS, Booked, Booking, Returned
from campaigns.db import db, insert
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed


def book(booking: Booking, now: datetime) -> Booked:
    """Book what the ledger lacks of a refund whose amount is all that was refunded so far.

    The second time, or when a smaller sum comes after a larger one, nothing is booked, but numbers
    not known yet are kept with the refund they are of. Two at once wait for each other. Raises
    `Returned` where a refund of the same donation was reversed, and what `ledger.book` raises.
    """
    return _book(booking, now, although_reversed=False)


def insist(booking: Booking, now: datetime) -> Booked:
    """`book`, because a person says that it is true although a refund of it was reversed."""
    return _book(booking, now, although_reversed=True)


def _book(booking: Booking, now: datetime, *, although_reversed: bool) -> Booked:
    turns.take(booking.source, booking.regards or "")
    missing = booking.amount - _so_far(booking)
    known = _known(booking)
    if missing.minor <= 0:
        return _keep_numbers(booking, known)
    if not although_reversed and _reversed(booking):
        raise Returned(
            detailed(
                N_("A refund of this donation came again after one was reversed"), booking.regards
            )
        )
    new = tuple(key for key in booking.keys if key not in known)
    # Another part of it went by these numbers, or they are another donation's: merchants number
    # the refunds of each order from one. So it goes by what it brings the sum to.
    number = Key("refund", f"{booking.regards} {booking.amount.minor}")
    part = replace(booking, amount=missing, keys=new or (number,))
    return ledger.book(part, now, although_alike=True)


def _so_far(booking: Booking) -> Money:
    """What is booked of it, less what was reversed.

    Also by an import that does not count yet: it will, and must not be booked beside.
    """
    total = db.session.scalar(
        select(func.sum(Entry.amount_minor)).where(
            *_of_the_donation(booking), Entry.currency == booking.amount.currency
        )
    )
    return Money(-int(total or 0), booking.amount.currency)


def _known(booking: Booking) -> frozenset[Key]:
    rows = db.session.execute(
        select(EntryKey.scheme, EntryKey.value).where(
            EntryKey.source == booking.source,
            tuple_(EntryKey.scheme, EntryKey.value).in_(booking.keys),
        )
    )
    return frozenset(Key(*row) for row in rows)


def _reversed(booking: Booking) -> bool:
    """Whether a person took one back, and booked nothing in its place."""
    reversal, instead = aliased(Entry), aliased(Entry)
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    *_of_the_donation(booking),
                    exists().where(EntryKey.entry_id == Entry.id),
                    exists().where(reversal.reverses == Entry.id),
                    ~exists().where(instead.replaces == Entry.id),
                )
            )
        )
    )


def _keep_numbers(booking: Booking, known: frozenset[Key]) -> Booked:
    """Its numbers are those of the refund that brought the sum to it.

    They are also kept with one that a notice told of as a larger sum, since this is a part of it;
    never with another door's that only happens to be large enough.
    """
    entry, so_far = _reaching(booking)
    new = [key for key in booking.keys if key not in known]
    if new and (so_far == booking.amount.minor or entry.door is Door.WEBHOOK):
        rows = bookings.rows(entry.id, booking.source, new)
        db.session.execute(insert(KEYS).values(rows).on_conflict_do_nothing())
    return Booked(entry.id, already=True)


def _reaching(booking: Booking) -> tuple[Entry, int]:
    """The first refund, as they happened, with which the sum is reached, and the sum with it."""
    reversal = aliased(Entry)
    standing = (
        select(Entry)
        .where(*_of_the_donation(booking), Entry.currency == booking.amount.currency)
        .where(~exists().where(reversal.reverses == Entry.id))
        .order_by(Entry.occurred_at, Entry.id)
    )
    so_far = 0
    for entry in db.session.scalars(standing):
        # Said here, since SQLite would else look through all that reverses nothing.
        so_far -= entry.amount_minor if entry.reverses is None else 0
        if so_far >= booking.amount.minor:
            return entry, so_far
    raise AssertionError("What is covered is covered by entries.")


def _of_the_donation(booking: Booking) -> tuple[ColumnElement[bool], ...]:
    return (
        Entry.kind == EntryKind.REFUND,
        Entry.source == booking.source,
        Entry.regards == booking.regards,
    )
