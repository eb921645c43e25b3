"""Bookings: a movement and where it belongs, and what the ledger knows of its numbers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from sqlalchemy import Table, bindparam, exists, select, tuple_
from sqlalchemy.orm import aliased

from campaigns.db import db, insert
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage, Way
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed

COMES_IN = frozenset({EntryKind.DONATION, EntryKind.MATCH, EntryKind.PAYOUT})
# From the first stage of a match to the last.
STAGES = tuple(MatchStage)
KEYS = cast(Table, EntryKey.__table__)
_REVERSAL = aliased(Entry)
# Entries with each of their numbers, and whether they were taken back. Building it costs more than
# running it, so it is done once.
NUMBERED = select(
    Entry,
    exists().where(_REVERSAL.reverses == Entry.id).label("reversed"),
    EntryKey.scheme,
    EntryKey.value,
).join(EntryKey, EntryKey.entry_id == Entry.id)
_KNOWN = NUMBERED.where(
    EntryKey.source == bindparam("source"),
    tuple_(EntryKey.scheme, EntryKey.value).in_(bindparam("keys", expanding=True)),
)


class LedgerError(Exception):
    """The ledger does not take this by itself: a person has to look. The message says why."""


class Differs(LedgerError):
    """A number is in the ledger already, with another amount or kind, or for two movements."""


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
    def numbers(self) -> list[tuple[str, Key]]:
        """Its keys, each with the source without which it says nothing."""
        return [(self.source, key) for key in self.keys]

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


def taken(many: Sequence[Booking]) -> set[tuple[str, Key]]:
    """Which of the numbers of these movements are in the ledger."""
    asked = {source: set[Key]() for source in {booking.source for booking in many}}
    for booking in many:
        asked[booking.source].update(booking.keys)
    found = set()
    for source, keys in asked.items():
        of_source = select(EntryKey.scheme, EntryKey.value).where(EntryKey.source == source)
        which = tuple_(EntryKey.scheme, EntryKey.value).in_(sorted(keys))
        found |= {(source, Key(*row)) for row in db.session.execute(of_source.where(which))}
    return found


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


def values(booking: Booking, day: date, now: datetime) -> dict[str, object]:
    """A movement as a row of the ledger."""
    return {
        "kind": booking.kind,
        "stage": booking.stage,
        "amount": booking.signed.minor,
        "currency": booking.amount.currency,
        "donations": booking.gifts,
        "campaign_id": booking.listing.campaign_id,
        "listing_id": booking.listing.id,
        "source": booking.source,
        "occurred_at": booking.occurred_at,
        "day": day,
        "booked_at": now,
        "door": booking.door,
        "notice_id": booking.notice_id,
        "staff_id": booking.staff_id,
        "regards": booking.regards,
        "way": booking.way,
        "reason": booking.reason,
        "import_id": booking.import_id,
        "import_row": booking.import_row,
    }


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
