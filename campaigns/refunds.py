"""Refunds that are told of as a sum so far: what is new of it is booked, once."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.orm import aliased

from campaigns import bookings, ledger, turns
from campaigns.bookings import KEYS, Booked, Booking, Differs, Returned
from campaigns.db import db, insert
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.imported import stands
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed


def book(booking: Booking, now: datetime) -> Booked:
    """Book what the ledger lacks of a refund whose amount is all that was refunded so far.

    The second time, or when a smaller sum comes after a larger one, nothing is booked, but numbers
    not known yet are kept with the refund they are of. Two at once wait for each other. Raises
    `Returned` where a refund of the same donation was reversed, and what `ledger.book` raises.
    """
    turns.take(booking.source, booking.regards or "")
    missing, new = booking.amount - _so_far(booking), _new(booking)
    if missing.minor <= 0:
        return _keep_numbers(booking, new)
    if _taken_back(booking):
        raise Returned(
            detailed(
                N_("A refund of this donation came again after one was reversed"), booking.regards
            )
        )
    return _add(booking, missing, new, now)


def insist(booking: Booking, now: datetime) -> Booked:
    """Make the refunds of the donation just this sum, because a person says that it is true.

    What is booked beyond it is reversed, the newest first; what is missing is booked in the place
    of refunds that were reversed, if there are any. The second time nothing is booked. Raises
    `Differs` where only an import that does not count yet could be reversed.
    """
    turns.take(booking.source, booking.regards or "")
    missing, new = booking.amount - _so_far(booking), _new(booking)
    if missing.minor == 0:
        return _keep_numbers(booking, new)
    if missing.minor < 0:
        return _lessen(booking, -missing, new, now)
    taken_back = _taken_back(booking)
    if not taken_back:
        return _add(booking, missing, new, now)
    for entry in taken_back[:-1]:
        if missing > -entry.amount:
            missing += entry.amount
            _put(entry, -entry.amount, booking, (), now)
    return _put(taken_back[-1], missing, booking, new, now)


def _add(booking: Booking, missing: Money, new: tuple[Key, ...], now: datetime) -> Booked:
    # Another part of it went by these numbers, or they are another donation's: merchants number
    # the refunds of each order from one. So it goes by what it brings the sum to.
    keys = new or (_number(booking),)
    return ledger.book(replace(booking, amount=missing, keys=keys), now, although_alike=True)


def _put(
    entry: Entry, amount: Money, booking: Booking, new: tuple[Key, ...], now: datetime
) -> Booked:
    """Book so much in the place of an entry, under its numbers and the booking's."""
    own = tuple(Key(key.scheme, key.value) for key in entry.keys)
    keys = (*own, *new) or (_number(booking),)
    made = ledger.rebook(entry, replace(booking, amount=amount, keys=keys), now)
    return Booked(made.id, already=False)


def _lessen(booking: Booking, excess: Money, new: tuple[Key, ...], now: datetime) -> Booked:
    """Take back what is booked beyond the sum; of the refund in which it is reached, a part."""
    for entry in reversed(_standing(booking, stands())):
        if -entry.amount > excess:
            return _put(entry, -entry.amount - excess, booking, new, now)
        reversal = ledger.reverse(entry, booking.reason or "", now, booking.staff_id)
        excess += entry.amount
        if excess.minor == 0:
            return Booked(reversal.id, already=False)
    raise Differs(N_("An import has not finished with a refund of this donation."))


def _number(booking: Booking) -> Key:
    return Key("refund", f"{booking.regards} {booking.amount.minor}")


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


def _new(booking: Booking) -> tuple[Key, ...]:
    """The numbers of it that no entry of the account goes by."""
    rows = db.session.execute(
        select(EntryKey.scheme, EntryKey.value).where(
            EntryKey.source == booking.source,
            tuple_(EntryKey.scheme, EntryKey.value).in_(booking.keys),
        )
    )
    known = frozenset(Key(*row) for row in rows)
    return tuple(key for key in booking.keys if key not in known)


def _taken_back(booking: Booking) -> list[Entry]:
    """Those that a person took back and booked nothing in their place, the oldest first."""
    reversal, instead = aliased(Entry), aliased(Entry)
    query = (
        select(Entry)
        .where(*_of_the_donation(booking), Entry.currency == booking.amount.currency)
        .where(
            exists().where(EntryKey.entry_id == Entry.id),
            exists().where(reversal.reverses == Entry.id),
            ~exists().where(instead.replaces == Entry.id),
        )
    )
    return list(db.session.scalars(query.order_by(Entry.id)))


def _keep_numbers(booking: Booking, new: tuple[Key, ...]) -> Booked:
    """Its numbers are those of the refund that brought the sum to it.

    They are also kept with one that a notice told of as a larger sum, since this is a part of it;
    never with another door's that only happens to be large enough.
    """
    entry, so_far = _reaching(booking)
    if new and (so_far == booking.amount.minor or entry.door is Door.WEBHOOK):
        rows = bookings.rows(entry.id, booking.source, new)
        db.session.execute(insert(KEYS).values(rows).on_conflict_do_nothing())
    return Booked(entry.id, already=True)


def _reaching(booking: Booking) -> tuple[Entry, int]:
    """The first refund, as they happened, with which the sum is reached, and the sum with it."""
    so_far = 0
    for entry in _standing(booking):
        so_far -= entry.amount_minor
        if so_far >= booking.amount.minor:
            return entry, so_far
    raise AssertionError("What is covered is covered by entries.")


def _standing(booking: Booking, *which: ColumnElement[bool]) -> list[Entry]:
    """Those that were not reversed, as they happened."""
    reversal = aliased(Entry)
    query = (
        select(Entry)
        .where(*_of_the_donation(booking), Entry.currency == booking.amount.currency, *which)
        .where(~exists().where(reversal.reverses == Entry.id))
        .order_by(Entry.occurred_at, Entry.id)
    )
    # Said here, since SQLite would else look through all that reverses nothing.
    return [entry for entry in db.session.scalars(query) if entry.reverses is None]


def _of_the_donation(booking: Booking) -> tuple[ColumnElement[bool], ...]:
    return (
        Entry.kind == EntryKind.REFUND,
        Entry.source == booking.source,
        Entry.regards == booking.regards,
    )
