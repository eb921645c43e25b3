"""The ledger: money is booked once, under any of its numbers; reversed, never changed."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table, exists, select, update
from sqlalchemy.exc import IntegrityError

from campaigns import bookings, figures, totals, turns, twins
from campaigns.bookings import Booked, Booking, Differs, Known, NotReversible, Overtaken
from campaigns.db import db
from campaigns.figures import Fall
from campaigns.model.correction import Cause
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.entry import Door, Entry, EntryKey, MatchStage
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import N_, Key, detailed

# States of a letter that no process has in its hands.
WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
ENTRIES, KEYS = cast(Table, Entry.__table__), cast(Table, EntryKey.__table__)
GIFTS, DELIVERIES = cast(Table, Gift.__table__), cast(Table, Delivery.__table__)
CLAIMS = cast(Table, GiftClaim.__table__)
# Building it costs more than running it, so it is done once.
_ENTER = ENTRIES.insert().returning(ENTRIES.c.id)


def book(booking: Booking, now: datetime, *, although_alike: bool = False) -> Booked:
    """Enter a movement and add it to its totals.

    The second time, also under another of its numbers or through another door, changes nothing,
    but numbers not known yet are kept; of a refund see `twins.of`, which is not asked if it
    is sure that this is another one `although_alike`. A match that comes again at a later stage is
    booked anew; at an earlier one it is known already. Two at once end as one entry: the keys are
    unique. Raises `Differs` and `Returned`; then nothing was changed.
    """
    known = _known(booking, although_alike)
    if known is None:
        try:
            with db.session.begin_nested():
                return Booked(_enter(booking, booking.keys, now), already=False)
        except IntegrityError:
            # Somebody else booked it between the question and the insertion.
            known = bookings.known(booking)
            if known is None:
                raise
    known.check(booking)
    if known.before(booking):
        return _advance(known, booking, now)
    bookings.add_keys(known.entry_id, booking, known.keys)
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
    known = bookings.known(booking)
    if _replaced(entry):
        raise Overtaken(f"Entry {entry.id} was booked anew already.")
    if known is not None and known.entry_id != entry.id:
        raise Differs(detailed(N_("A number is another movement's"), bookings.named(booking.keys)))
    reason = reason or booking.reason or N_("booked anew")
    reversal, _ = _take_back(entry, reason, now, booking.staff_id)
    try:
        with db.session.begin_nested():
            entry_id = _enter(booking, (), now, replaces=entry.id)
    except IntegrityError as error:
        if not _replaced(entry):
            raise
        raise Overtaken(f"Entry {entry.id} was booked anew at this moment.") from error
    _follow(entry.id, entry_id)
    bookings.add_keys(entry_id, booking, known.keys if known else frozenset())
    _correct(before, reversal)
    return db.session.get_one(Entry, entry_id)


def hold(entry: Entry) -> None:
    """Keep others from taking an entry back or booking it anew until the transaction ends.

    Who would do one of them waits here, and not each for what the other has inserted.
    """
    db.session.execute(select(Entry.id).where(Entry.id == entry.id).with_for_update())


def _known(booking: Booking, although_alike: bool) -> Known | None:
    if booking.kind not in twins.ABOUT_ANOTHER:
        return bookings.known(booking)
    if booking.regards is not None:
        turns.take(booking.source, booking.regards)
    known = bookings.known(booking)
    return known if known or although_alike else twins.of(booking)


def _advance(known: Known, booking: Booking, now: datetime) -> Booked:
    """A match got further. Who is told so a moment after somebody else finds it there already."""
    entry = db.session.get_one(Entry, known.entry_id)
    try:
        reason = f"{known.stage} → {booking.stage}"
        return Booked(rebook(entry, booking, now, reason).id, already=False)
    except Overtaken:
        again = bookings.known(booking)
        if again is None or again.entry_id == known.entry_id:
            raise
        again.check(booking)
        return Booked(again.entry_id, already=True)


def _replaced(entry: Entry) -> bool:
    return bool(db.session.scalar(select(exists().where(Entry.replaces == entry.id))))


def _follow(old_id: int, new_id: int) -> None:
    """Numbers, who gave and claimed it, and a letter of thanks not yet sent go with the money."""
    for table in (KEYS, GIFTS, CLAIMS):
        db.session.execute(update(table).where(table.c.entry_id == old_id).values(entry_id=new_id))
    db.session.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.entry_id == old_id, DELIVERIES.c.state.in_(WAITING))
        .values(entry_id=new_id)
    )


def _enter(
    booking: Booking, keys: tuple[Key, ...], now: datetime, replaces: int | None = None
) -> int:
    day = figures.day_of(booking.occurred_at)
    values = bookings.values(booking, day, now) | {"replaces": replaces}
    entry_id: int = db.session.execute(_ENTER, values).scalar_one()
    if keys:
        db.session.execute(KEYS.insert(), bookings.rows(entry_id, booking.source, keys))
    if booking.stage is not MatchStage.ANNOUNCED:
        totals.add(booking.listing.id, booking.kind, booking.signed, day, booking.gifts)
    return entry_id


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
        totals.add(entry.listing_id, entry.kind, reversal.amount, entry.day, reversal.donations)
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
