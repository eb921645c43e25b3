"""Matching: money that somebody adds to what donors gave, from its announcement to its arrival."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased, selectinload

from campaigns import audit, ledger
from campaigns.bookings import STAGES, Booking
from campaigns.db import db, unindexed
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import LARGEST_AMOUNT


class Refused(Exception):
    """The match stays where it is. The text is a sentence for the person who tried."""


class NotOpen(Refused):
    """It was taken back, or somebody brought it further already."""


class NotLater(Refused):
    """A match goes forward only; what was wrong is booked anew."""


class NotYet(Refused):
    """The moment has not come."""


class BadAmount(Refused):
    """No single movement is that small or that large."""


class Unexplained(Refused):
    """Less came than was said, and the public page will have to say why."""


@dataclass(frozen=True)
class Further:
    """How far a match has come: as much, at that moment. `reason` where the amount differs."""

    stage: MatchStage
    amount: Money
    occurred_at: datetime
    reason: str | None = None


def advance(entry: Entry, further: Further, now: datetime, by: Staff) -> Entry:
    """Book a match anew at a later stage; its numbers and who matches go with it.

    The second time, also at the same moment, raises `NotOpen`.
    """
    ledger.hold(entry)
    if db.session.scalar(select(exists().where(Entry.reverses == entry.id))):
        raise NotOpen(_("Somebody brought this match further or took it back. Look again."))
    _check(entry, further, now)
    reason = further.reason or f"{entry.stage} → {further.stage}"
    made = ledger.rebook(entry, _booking(entry, further, by), now, reason)
    changes = {"stage": (entry.stage, made.stage), "amount": (entry.amount, made.amount)}
    audit.record("advance match", made, now, by=by, changes=changes)
    return made


def later(stage: MatchStage | None) -> tuple[MatchStage, ...]:
    """The stages that may follow."""
    return STAGES[STAGES.index(stage) + 1 :] if stage in STAGES else ()


def standing(limit: int = 200) -> list[Entry]:
    """The matches that were not taken back, the newest first, each at its present stage."""
    reversal = aliased(Entry)
    matches = (
        select(Entry)
        .where(Entry.kind == EntryKind.MATCH, unindexed(Entry.reverses).is_(None), stands())
        .where(~exists().where(reversal.reverses == Entry.id))
        .options(selectinload(Entry.keys))
    )
    # By the index of matches, of which there are few, and not through the ledger from its end.
    newest = matches.order_by(unindexed(Entry.id).desc()).limit(limit)
    return list(db.session.scalars(newest))


def _check(entry: Entry, further: Further, now: datetime) -> None:
    if further.stage not in later(entry.stage):
        raise NotLater(_("A match only goes forward. Book it anew if its stage was wrong."))
    if further.occurred_at > now:
        raise NotYet(_("This moment has not come yet."))
    if not 0 < further.amount.minor <= LARGEST_AMOUNT:
        raise BadAmount(_("Write an amount above zero that one movement can have."))
    if further.amount != entry.amount and not further.reason:
        raise Unexplained(_("Write why it is another amount than before."))


def _booking(entry: Entry, further: Further, by: Staff) -> Booking:
    return Booking(
        listing=db.session.get_one(Listing, entry.listing_id),
        kind=entry.kind,
        amount=further.amount,
        occurred_at=further.occurred_at,
        source=entry.source,
        keys=(),
        door=Door.HAND,
        staff_id=by.id,
        stage=further.stage,
        regards=entry.regards,
        way=entry.way,
        reason=entry.reason,
    )
