"""The ledger: money is booked once, under any of its numbers; reversed, never changed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, exists, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from campaigns import figures
from campaigns.db import db, insert
from campaigns.figures import Fall
from campaigns.model.correction import Cause
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage, Way
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import Key

COMES_IN = frozenset({EntryKind.DONATION, EntryKind.MATCH, EntryKind.PAYOUT})
# From the first stage of a match to the last.
STAGES = tuple(MatchStage)
# States of a letter that no process has in its hands.
WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
ENTRIES, KEYS = cast(Table, Entry.__table__), cast(Table, EntryKey.__table__)
GIFTS, DELIVERIES = cast(Table, Gift.__table__), cast(Table, Delivery.__table__)
_REVERSAL = aliased(Entry)
# Building these costs more than running them, so it is done once.
_KNOWN = (
    select(
        Entry,
        exists().where(_REVERSAL.reverses == Entry.id).label("reversed"),
        EntryKey.scheme,
        EntryKey.value,
    )
    .join(EntryKey, EntryKey.entry_id == Entry.id)
    .where(
        EntryKey.source == bindparam("source"),
        tuple_(EntryKey.scheme, EntryKey.value).in_(bindparam("keys", expanding=True)),
    )
)
_ENTER = ENTRIES.insert().returning(ENTRIES.c.id)


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
    def gifts(self) -> int:
        return gifts(self.kind) if self.donations is None else self.donations


@dataclass(frozen=True)
class Booked:
    """The entry of a movement; `already` if it was in the ledger before."""

    entry_id: int
    already: bool


def book(booking: Booking, now: datetime) -> Booked:
    """Enter a movement and add it to its totals.

    The second time, also under another of its numbers or through another door, changes nothing,
    but numbers not known yet are kept. A match that comes again at a later stage is booked anew;
    at an earlier one it is known already. Two at once end as one entry: the keys are unique.
    Raises `Differs` and `Returned`; then nothing was changed.
    """
    known = _known(booking)
    if known is None:
        try:
            with db.session.begin_nested():
                return Booked(_enter(booking, booking.keys, now), already=False)
        except IntegrityError:
            # Somebody else booked it between the question and the insertion.
            known = _known(booking)
            if known is None:
                raise
    known.check(booking)
    if known.before(booking):
        return _advance(known, booking, now)
    _add_keys(known.entry_id, booking, known.keys)
    return Booked(known.entry_id, already=True)


def reverse(entry: Entry, reason: str, now: datetime, staff_id: int | None = None) -> Entry:
    """Take an entry back by one of the same kind and the opposite amount.

    It stands at the moment of what it takes back, so that both cancel out in every period. The
    second time returns the first reversal. A published figure that falls by it leaves a
    Correction. Raises `NotReversible` for a reversal.
    """
    hold(entry)
    before = _published(entry)
    reversal, already = _take_back(entry, reason, now, staff_id)
    if not already:
        _correct(before, reversal)
    return reversal


def rebook(entry: Entry, booking: Booking, now: datetime, reason: str | None = None) -> Entry:
    """Book anew what `entry` holds wrongly: reverse it, for a reason, and let what hangs on it
    follow to the new entry, which `replaces` it.

    Also for money that came again after a reversal, once a person says that it is true. The second
    time raises `Overtaken`, and of two at once one. Raises `Differs` where another movement has
    one of the numbers, `NotReversible` for a reversal.
    """
    hold(entry)
    before = _published(entry)
    known = _known(booking)
    if _replaced(entry):
        raise Overtaken(f"Entry {entry.id} was booked anew already.")
    if known is not None and known.entry_id != entry.id:
        raise Differs(f"{_named(booking.keys)} is another movement's number.")
    reason = reason or booking.reason or "booked anew"
    reversal, _ = _take_back(entry, reason, now, booking.staff_id)
    try:
        with db.session.begin_nested():
            entry_id = _enter(booking, (), now, replaces=entry.id)
    except IntegrityError as error:
        if not _replaced(entry):
            raise
        raise Overtaken(f"Entry {entry.id} was booked anew at this moment.") from error
    _follow(entry.id, entry_id)
    _add_keys(entry_id, booking, known.keys if known else frozenset())
    _correct(before, reversal)
    return db.session.get_one(Entry, entry_id)


def holding(source: str, keys: Collection[Key]) -> list[Entry]:
    """The entries of a source that these numbers lead to, reversed ones too."""
    held = (
        select(EntryKey.entry_id)
        .where(EntryKey.source == source)
        .where(tuple_(EntryKey.scheme, EntryKey.value).in_(keys))
    )
    return list(db.session.scalars(select(Entry).where(Entry.id.in_(held)).order_by(Entry.id)))


def hold(entry: Entry) -> None:
    """Keep others from taking an entry back or booking it anew until the transaction ends.

    Who would do one of them waits here, and not each for what the other has inserted.
    """
    db.session.execute(select(Entry.id).where(Entry.id == entry.id).with_for_update())


def signed(kind: EntryKind, amount: Money) -> Money:
    """A stated amount as the ledger holds it: what leaves is negative."""
    return amount if kind in COMES_IN else -amount


def gifts(kind: EntryKind) -> int:
    """How many gifts an entry stands for unless it is said."""
    return 1 if kind is EntryKind.DONATION else 0


@dataclass(frozen=True)
class _Known:
    """The entry that a booking's numbers lead to, and which of them do."""

    entry_id: int
    kind: EntryKind
    amount: Money
    stage: MatchStage | None
    reversed: bool
    keys: frozenset[Key]

    def check(self, booking: Booking) -> None:
        if self.reversed:
            raise Returned(f"{_named(self.keys)} came again after its entry was reversed.")
        if (self.kind, self.amount) != (booking.kind, booking.signed):
            raise Differs(f"{_named(self.keys)} is in the ledger as {self.kind} of {self.amount}.")

    def before(self, booking: Booking) -> bool:
        """Whether it is a match at an earlier stage than the booking's."""
        if self.stage is None or booking.stage is None:
            return False
        return STAGES.index(self.stage) < STAGES.index(booking.stage)


def _known(booking: Booking) -> _Known | None:
    rows = db.session.execute(_KNOWN, {"source": booking.source, "keys": list(booking.keys)}).all()
    if len({entry.id for entry, *_ in rows}) > 1:
        raise Differs(f"{_named(booking.keys)} are in the ledger as more than one movement.")
    for entry, is_reversed, _, _ in rows:
        keys = frozenset(Key(row.scheme, row.value) for row in rows)
        return _Known(entry.id, entry.kind, entry.amount, entry.stage, is_reversed, keys)
    return None


def _advance(known: _Known, booking: Booking, now: datetime) -> Booked:
    """A match got further. Who is told so a moment after somebody else finds it there already."""
    entry = db.session.get_one(Entry, known.entry_id)
    try:
        reason = f"{known.stage} → {booking.stage}"
        return Booked(rebook(entry, booking, now, reason).id, already=False)
    except Overtaken:
        again = _known(booking)
        if again is None or again.entry_id == known.entry_id:
            raise
        again.check(booking)
        return Booked(again.entry_id, already=True)


def _replaced(entry: Entry) -> bool:
    return bool(db.session.scalar(select(exists().where(Entry.replaces == entry.id))))


def _follow(old_id: int, new_id: int) -> None:
    """Numbers, who gave, and a letter of thanks not yet sent go with the money."""
    for table in (KEYS, GIFTS):
        db.session.execute(update(table).where(table.c.entry_id == old_id).values(entry_id=new_id))
    db.session.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.entry_id == old_id, DELIVERIES.c.state.in_(WAITING))
        .values(entry_id=new_id)
    )


def _named(keys: Iterable[Key]) -> str:
    return ", ".join(f"{scheme} {value}" for scheme, value in sorted(keys))


def _enter(
    booking: Booking, keys: tuple[Key, ...], now: datetime, replaces: int | None = None
) -> int:
    signed, day = booking.signed, figures.day_of(booking.occurred_at)
    values = {
        "kind": booking.kind,
        "stage": booking.stage,
        "amount": signed.minor,
        "currency": signed.currency,
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
        "replaces": replaces,
        "regards": booking.regards,
        "way": booking.way,
        "reason": booking.reason,
        "import_id": booking.import_id,
        "import_row": booking.import_row,
    }
    entry_id: int = db.session.execute(_ENTER, values).scalar_one()
    if keys:
        db.session.execute(KEYS.insert(), _rows(entry_id, booking.source, keys))
    if booking.stage is not MatchStage.ANNOUNCED:
        figures.add(booking.listing.id, booking.kind, signed, day, booking.gifts)
    return entry_id


def _rows(entry_id: int, source: str, keys: Iterable[Key]) -> list[dict[str, object]]:
    # Sorted, so that two bookings of the same numbers wait for each other and never in a ring.
    return [
        {"source": source, "scheme": scheme, "value": value, "entry_id": entry_id}
        for scheme, value in sorted(keys)
    ]


def _add_keys(entry_id: int, booking: Booking, known: frozenset[Key]) -> None:
    """Keep the numbers that are new; one that is another's by now raises `Differs`."""
    new = set(booking.keys) - known
    if not new:
        return
    kept = db.session.execute(
        insert(KEYS)
        .values(_rows(entry_id, booking.source, new))
        .on_conflict_do_nothing()
        .returning(KEYS.c.value)
    ).all()
    if len(kept) < len(new):
        raise Differs(f"One of {_named(new)} was just booked as another movement.")


def _take_back(
    entry: Entry, reason: str, now: datetime, staff_id: int | None
) -> tuple[Entry, bool]:
    """The reversal of an entry, and whether it stood before."""
    if entry.reverses is not None:
        raise NotReversible("A reversal is not reversed; book the movement again.")
    try:
        with db.session.begin_nested():
            return _mirror(entry, reason, now, staff_id), False
    except IntegrityError:
        # The unique key on `reverses` says that it was done, perhaps at this very moment.
        done = db.session.scalar(select(Entry).where(Entry.reverses == entry.id))
        if done is None:
            raise
        return done, True


def _mirror(entry: Entry, reason: str, now: datetime, staff_id: int | None) -> Entry:
    reversal = Entry(
        kind=entry.kind,
        stage=entry.stage,
        amount_minor=-entry.amount_minor,
        currency=entry.currency,
        donations=-entry.donations,
        campaign_id=entry.campaign_id,
        listing_id=entry.listing_id,
        source=entry.source,
        occurred_at=entry.occurred_at,
        day=entry.day,
        booked_at=now,
        door=Door.HAND,
        staff_id=staff_id,
        reverses=entry.id,
        regards=entry.regards,
        reason=reason,
    )
    db.session.add(reversal)
    db.session.flush()
    if entry.listing_id is not None and entry.stage is not MatchStage.ANNOUNCED:
        figures.add(entry.listing_id, entry.kind, reversal.amount, entry.day, reversal.donations)
    return reversal


def _published(entry: Entry) -> Money | None:
    if entry.listing_id is None:
        return None
    return figures.published(db.session.get_one(Listing, entry.listing_id))


def _correct(before: Money | None, reversal: Entry) -> None:
    if reversal.listing_id is None:
        return
    fall = Fall(
        Cause.REVERSAL,
        reversal.reason or "",
        reversal.booked_at,
        reversal.staff_id,
        entry_id=reversal.id,
    )
    figures.correct(db.session.get_one(Listing, reversal.listing_id), before, fall)
