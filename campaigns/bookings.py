"""Bookings: a movement and where it belongs, and what the ledger knows of its numbers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, exists, select, tuple_
from sqlalchemy.orm import aliased

from campaigns.db import db, insert
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage, Way
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed

COMES_IN = frozenset({EntryKind.DONATION, EntryKind.MATCH, EntryKind.PAYOUT})
# What is about another movement, and goes by other numbers at each door.
ABOUT_ANOTHER = (EntryKind.REFUND, EntryKind.CHARGEBACK, EntryKind.FEE)
# One door dates a refund when it was asked for, another when it was done.
CLOSE = timedelta(days=1)
# From the first stage of a match to the last.
STAGES = tuple(MatchStage)
KEYS = cast(Table, EntryKey.__table__)
_REVERSAL = aliased(Entry)
# Building them costs more than running them, so it is done once.
_NUMBERED = select(
    Entry,
    exists().where(_REVERSAL.reverses == Entry.id).label("reversed"),
    EntryKey.scheme,
    EntryKey.value,
).join(EntryKey, EntryKey.entry_id == Entry.id)
_KNOWN = _NUMBERED.where(
    EntryKey.source == bindparam("source"),
    tuple_(EntryKey.scheme, EntryKey.value).in_(bindparam("keys", expanding=True)),
)


class LedgerError(Exception):
    """The ledger does not take this by itself: a person has to look. The message says why."""


class Differs(LedgerError):
    """A number is in the ledger already, with another amount or kind, or for two movements."""


class Alike(Differs):
    """It may be a movement that the ledger has under numbers of another sort, or a part of one."""


class Returned(LedgerError):
    """The money came again after its entry was reversed."""


class Overtaken(Differs):
    """Somebody booked the entry anew already."""


class NotReversible(LedgerError):
    """The entry is itself a reversal."""


@dataclass(frozen=True)
class Booking:
    """A movement, and where it belongs.

    `amount` is positive as stated; its sign in the ledger follows from `kind`. `keys` are the
    numbers it is known by under `source`, the account it came through. A scheme holds numbers of
    one sort whichever door they come by (`platforms.base.Key` lists them): a post that names
    `trade 2026…` and a bill that names `trade 2026…` and `order A-17` are the same money.
    `regards` is the key of the donation that a refund or chargeback takes back, as "trade:2026…";
    it need not be in the ledger yet. `donations` is one for a donation unless said.
    """

    listing: Listing
    kind: EntryKind
    amount: Money
    occurred_at: datetime
    source: str
    keys: tuple[Key, ...]
    door: Door
    notice_id: int | None = None
    staff_id: int | None = None
    regards: str | None = None
    stage: MatchStage | None = None
    donations: int | None = None
    way: Way | None = None
    reason: str | None = None
    import_id: int | None = None
    import_row: int | None = None

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise ValueError("A booking states a positive amount; its kind gives the sign.")
        if not self.keys and self.door is not Door.HAND:
            raise ValueError("What comes by itself needs a number, or it could come twice.")

    @property
    def signed(self) -> Money:
        return signed(self.kind, self.amount)

    @property
    def gifts(self) -> int:
        return gifts(self.kind) if self.donations is None else self.donations


@dataclass(frozen=True)
class Booked:
    """The entry of a movement; `already` if it was in the ledger before."""

    entry_id: int
    already: bool


@dataclass(frozen=True)
class Known:
    """The entry that a booking's numbers lead to, and which of them do."""

    entry_id: int
    kind: EntryKind
    amount: Money
    stage: MatchStage | None
    reversed: bool
    keys: frozenset[Key]

    def check(self, booking: Booking) -> None:
        """Raises `Returned` or `Differs` unless the booking is just this movement."""
        if self.reversed:
            raise Returned(
                detailed(N_("It came again after its entry was reversed"), named(self.keys))
            )
        if (self.kind, self.amount) != (booking.kind, booking.signed):
            raise Differs(
                detailed(
                    N_("It is in the ledger with another amount or as another kind of money"),
                    f"{named(self.keys)}, {self.amount}",
                )
            )

    def before(self, booking: Booking) -> bool:
        """Whether it is a match at an earlier stage than the booking's."""
        if self.stage is None or booking.stage is None:
            return False
        return STAGES.index(self.stage) < STAGES.index(booking.stage)


def known(booking: Booking) -> Known | None:
    """What its numbers lead to, if anything. Raises `Differs` where that is several entries."""
    rows = db.session.execute(_KNOWN, {"source": booking.source, "keys": list(booking.keys)}).all()
    if len({entry.id for entry, *_ in rows}) > 1:
        raise Differs(
            detailed(
                N_("Its numbers are in the ledger as more than one movement"), named(booking.keys)
            )
        )
    for entry, is_reversed, _, _ in rows:
        keys = frozenset(Key(row.scheme, row.value) for row in rows)
        return Known(entry.id, entry.kind, entry.amount, entry.stage, is_reversed, keys)
    return None


def twin(booking: Booking) -> Known | None:
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


def holding(source: str, keys: Collection[Key]) -> list[Entry]:
    """The entries of a source that these numbers lead to, reversed ones too."""
    held = (
        select(EntryKey.entry_id)
        .where(EntryKey.source == source)
        .where(tuple_(EntryKey.scheme, EntryKey.value).in_(keys))
    )
    return list(db.session.scalars(select(Entry).where(Entry.id.in_(held)).order_by(Entry.id)))


def add_keys(entry_id: int, booking: Booking, known: frozenset[Key]) -> None:
    """Keep the numbers that are new; one that is another's by now raises `Differs`."""
    new = set(booking.keys) - known
    if not new:
        return
    kept = db.session.execute(
        insert(KEYS)
        .values(rows(entry_id, booking.source, new))
        .on_conflict_do_nothing()
        .returning(KEYS.c.value)
    ).all()
    if len(kept) < len(new):
        raise Differs(
            detailed(N_("One of its numbers was just booked as another movement"), named(new))
        )


def rows(entry_id: int, source: str, keys: Iterable[Key]) -> list[dict[str, object]]:
    """The numbers of an entry as rows.

    Sorted, so that two bookings of the same numbers wait for each other and never in a ring.
    """
    return [
        {"source": source, "scheme": scheme, "value": value, "entry_id": entry_id}
        for scheme, value in sorted(keys)
    ]


def signed(kind: EntryKind, amount: Money) -> Money:
    """A stated amount as the ledger holds it: what leaves is negative."""
    return amount if kind in COMES_IN else -amount


def gifts(kind: EntryKind) -> int:
    """How many gifts an entry stands for unless it is said."""
    return 1 if kind is EntryKind.DONATION else 0


def named(keys: Iterable[Key]) -> str:
    """Numbers in the words of a message."""
    return ", ".join(f"{scheme} {value}" for scheme, value in sorted(keys))


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
        _NUMBERED.where(
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
