"""Twins: a refund in the ledger by one sort of number is told of again by another sort."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.bookings import NUMBERED, Booking, Differs, Known
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed

# What is about another movement, and goes by other numbers at each door.
ABOUT_ANOTHER = (EntryKind.REFUND, EntryKind.CHARGEBACK, EntryKind.FEE)
# One door dates a refund when it was asked for, another when it was done.
CLOSE = timedelta(days=1)


class Alike(Differs):
    """It may be a movement that the ledger has under numbers of another sort, or a part of one."""


def of(booking: Booking) -> Known | None:
    """The entry that is this movement although no number leads to it; None if it is a new one.

    A refund may have another number at each door: a line of the account's statement, the platform's
    number in a notice; only the donation stands in both. Booked by each it would be taken from the
    figure twice. So what is about the same donation, of the same amount and day, and numbered by
    no sort in common, is the same movement (design §5 rule 4). Two that have each a number of one
    sort are two. Raises `Alike`, so that a person decides, where several fit, where none is
    close enough, and where it may be a part of a sum that a notice told of (`refunds`).
    """
    if booking.regards is None or booking.kind not in ABOUT_ANOTHER:
        return None
    sorts = _sorts(booking.keys, booking.regards)
    found = _about(booking)
    like = [one for one in found if one.amount == booking.signed and not one.sorts & sorts]
    close = [one for one in like if abs(one.occurred_at - booking.occurred_at) <= CLOSE]
    if len(close) == 1:
        one = close[0]
        return Known(one.entry_id, booking.kind, one.amount, None, one.reversed, frozenset())
    whole = like or [one for one in found if one.is_sum and one.amount < booking.signed]
    if whole:
        ids = ", ".join(str(one.entry_id) for one in whole)
        raise Alike(detailed(N_("It may be in the ledger, by a number of another sort"), ids))
    return None


@dataclass(frozen=True)
class _About:
    """An entry about some donation, and which sorts of number it goes by."""

    entry_id: int
    amount: Money
    occurred_at: datetime
    reversed: bool
    sorts: frozenset[str]
    by_webhook: bool

    @property
    def is_sum(self) -> bool:
        """Whether it may hold several refunds: a notice told of it without a number of its own."""
        return self.by_webhook and not self.reversed and "refund" not in self.sorts


def _about(booking: Booking) -> list[_About]:
    """What is booked about the donation, also by an import that does not count yet.

    What was booked anew or undone has no numbers any more, nor has a reversal.
    """
    rows = db.session.execute(
        NUMBERED.where(
            Entry.regards == booking.regards,
            Entry.source == booking.source,
            Entry.kind == booking.kind,
            Entry.currency == booking.amount.currency,
        ).order_by(Entry.id)
    ).all()
    numbers: dict[Entry, set[Key]] = {}
    for entry, _, scheme, value in rows:
        numbers.setdefault(entry, set()).add(Key(scheme, value))
    reversed_ids = {entry.id for entry, is_reversed, _, _ in rows if is_reversed}
    return [
        _About(
            entry.id,
            entry.amount,
            entry.occurred_at,
            entry.id in reversed_ids,
            _sorts(keys, entry.regards or ""),
            entry.door is Door.WEBHOOK,
        )
        for entry, keys in numbers.items()
    ]


def _sorts(keys: Iterable[Key], regards: str) -> frozenset[str]:
    """The sorts of number among them. The donation's number says of a refund only what it is about:
    some tables have no other, and what is told of as a sum may have none."""
    donation = regards.removeprefix("trade:")
    return frozenset(
        scheme
        for scheme, value in keys
        if scheme != "refund" or not (value == donation or value.startswith(f"{regards} "))
    )
