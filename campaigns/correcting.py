"""Correcting: what was booked wrongly is taken back or booked anew, and both stay to be seen."""

from collections.abc import Iterable
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete, select, tuple_

from campaigns import audit, ledger, letters
from campaigns.bookings import Booking, Differs, Overtaken
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.imported import stands
from campaigns.model.staff import Staff
from campaigns.platforms.base import Key


class Refused(Exception):
    """The entry stays as it is. The text is a sentence for the person who tried."""


class NotCorrectable(Refused):
    """It is a reversal, or an import has not finished with it."""


class TakenBack(Refused):
    """Somebody took it back already."""


class BookedAnew(Refused):
    """Somebody booked it anew already."""


class NumberTaken(Refused):
    """Another entry has one of the numbers."""


def take_back(entry: Entry, reason: str, now: datetime, by: Staff) -> Entry:
    """Reverse an entry; a letter of thanks for it that has not left is called off.

    The second time, also at the same moment, raises `TakenBack`. A public figure that falls by it
    leaves a Correction with the reason.
    """
    _check(entry)
    ledger.hold(entry)
    before = reversal_of(entry)
    if before is not None:
        raise TakenBack(
            _("Somebody took this entry back already, by entry %(number)s.", number=before.id)
        )
    reversal = ledger.reverse(entry, reason, now, by.id)
    letters.call_off(entry.id, now)
    audit.record("take back", entry, now, by=by, changes={"taken back by": (None, reversal.id)})
    return reversal


def anew(
    entry: Entry,
    booking: Booking,
    reason: str,
    now: datetime,
    by: Staff,
    *,
    without: Iterable[Key] = (),
) -> Entry:
    """Book anew what an entry holds wrongly; its numbers go to the new one, but those `without`.

    Also for one that was taken back, if it was true after all. The second time, also at the same
    moment, raises `BookedAnew`.
    """
    _check(entry)
    wrong = list(without)
    if wrong:
        _release(entry, wrong)
    try:
        made = ledger.rebook(entry, booking, now, reason)
    except Overtaken as error:
        replacing = db.session.scalar(select(Entry.id).where(Entry.replaces == entry.id))
        raise BookedAnew(
            _("Somebody booked this anew already, as entry %(number)s.", number=replacing)
        ) from error
    except Differs as error:
        raise NumberTaken(_("Another entry has this number already.")) from error
    changes = {
        "amount": (entry.amount, made.amount),
        "occurred_at": (entry.occurred_at, made.occurred_at),
        "listing": (entry.listing_id, made.listing_id),
        "donations": (entry.donations, made.donations),
    }
    differing = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    audit.record("book anew", made, now, by=by, changes={"replaces": (None, entry.id), **differing})
    return made


def reversal_of(entry: Entry) -> Entry | None:
    return db.session.scalar(select(Entry).where(Entry.reverses == entry.id))


def correctable(entry: Entry) -> bool:
    """Whether it may be taken back or booked anew at all, if nobody did."""
    standing = select(Entry.id).where(Entry.id == entry.id, stands())
    return entry.reverses is None and db.session.scalar(standing) is not None


def rebookable(entry: Entry) -> bool:
    """A fee that was given back has the sign that no form can state."""
    return correctable(entry) and not (entry.kind is EntryKind.FEE and entry.amount_minor > 0)


def _check(entry: Entry) -> None:
    if entry.reverses is not None:
        raise NotCorrectable(_("A reversal stays as it is. Book the money anew instead."))
    if not correctable(entry):
        raise NotCorrectable(_("An import has not finished with this entry. Try again later."))


def _release(entry: Entry, keys: list[Key]) -> None:
    db.session.execute(
        delete(EntryKey)
        .where(EntryKey.entry_id == entry.id)
        .where(tuple_(EntryKey.scheme, EntryKey.value).in_(keys))
    )
