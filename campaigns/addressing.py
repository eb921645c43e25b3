"""Addressing: what a mailing does by the clock, from its hour to its end (design §7).

All of it may run twice and at once: a mailing is moved by whoever locks its row first.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, select, update

from campaigns import audit, digested, hours, letters, suppression
from campaigns.db import Moment, db, insert
from campaigns.model.consent import Purpose
from campaigns.model.delivery import OPEN, Attempt, Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.organisation import first_language
from campaigns.model.staff import Permission

_STOPPABLE = (MailingState.SCHEDULED, MailingState.SENDING, MailingState.PAUSED)
# A letter in hand when its mailing ended comes back within minutes.
_LEFTOVERS = timedelta(days=1)
_QUEUED = DeliveryState.QUEUED


@dataclass(frozen=True)
class Plan:
    """When a mailing would go: from a moment on, and at `local` of each zone if there is that."""

    begins_at: datetime
    local: datetime | None = None
    expires_at: datetime | None = None


def due(now: datetime) -> list[Mailing]:
    """Mailings whose hour has come, locked until the transaction ends; others' are left out."""
    scheduled = select(Mailing).where(Mailing.state == MailingState.SCHEDULED)
    return _locked(scheduled.where(Mailing.scheduled_at <= now).order_by(Mailing.scheduled_at))


def start(mailing: Mailing, members: Select[int], now: datetime) -> None:
    """Write a delivery for each member of the segment who may be written to, in one statement.

    `mailing` is one that `due` gave. Who is skipped is counted by reason. One that expired
    meanwhile ends, and one that is later than its grace waits for a person (promise P6).
    """
    if mailing.expires_at is not None and mailing.expires_at <= now:
        _end(mailing, MailingState.EXPIRED, now)
    elif _late(mailing, now):
        mailing.note = _("Its hour passed while the service was down. Please give it a new one.")
        _move(mailing, MailingState.MISSED, now)
        letters.alert("missed", mailing.id, Permission.SEND, now)
    else:
        mailing.started_at = now
        _move(mailing, MailingState.SENDING, now)
        _publish(mailing, now)
        _address(mailing, members, now)
        digested.set_aside(mailing, members)
        about = mailing.update.campaign_id
        mailing.skipped = suppression.tally(members, mailing.purpose, about)[1]
    db.session.flush()


def departures(
    mailing: Mailing, members: Select[int], plan: Plan, now: datetime
) -> dict[datetime | None, int]:
    """How many letters would leave when, if it went by `plan`; None for those that would expire.

    Not earlier: limits and slow relays may hold them up.
    """
    refusal = suppression.passed_over(mailing.purpose, mailing.update.campaign_id)
    counted = (
        select(Donor.timezone, func.count())
        .where(Donor.id.in_(members), refusal.is_(None))
        .group_by(Donor.timezone)
    )
    kept, found = hours.ours(), Counter[datetime | None]()
    for zone, letters_there in db.session.execute(counted).all():
        at = _opens(kept, mailing.purpose, plan.local, zone, max(now, plan.begins_at))
        late = plan.expires_at is not None and at >= plan.expires_at
        found[None if late else at] += letters_there
    return dict(found)


def waiting(mailing: Mailing, now: datetime) -> tuple[int, datetime | None]:
    """How many of its letters wait for a later hour, and when the next of them may go."""
    later = select(func.count(), func.min(Delivery.due_at)).where(
        Delivery.mailing_id == mailing.id,
        Delivery.state.in_((_QUEUED, DeliveryState.DEFERRED)),
        Delivery.due_at > now,
    )
    number, soonest = db.session.execute(later).one()
    return number, soonest


def finish(now: datetime) -> None:
    """End what has ended: `sent` only where every delivery has an outcome (promise P2)."""
    sending = select(Mailing).where(Mailing.state == MailingState.SENDING)
    # Locking first and looking at the deliveries in a second statement: one that is sent again
    # in between holds this lock, and is seen here only after it committed.
    for mailing in _locked(sending):
        if not _has_open(mailing.id):
            _end(mailing, MailingState.SENT, now)
    expired = select(Mailing).where(Mailing.state.in_(_STOPPABLE), Mailing.expires_at <= now)
    for mailing in _locked(expired):
        _end(mailing, MailingState.EXPIRED, now)
    _close_leftovers(now)
    db.session.flush()


def pause_itself(mailing_id: int, failed: int, of: int, now: datetime) -> None:
    """Stop a mailing of whose last letters too many failed; a person looks and resumes it."""
    mailing = next(iter(_locked(select(Mailing).where(Mailing.id == mailing_id))), None)
    if mailing is None or mailing.state is not MailingState.SENDING:
        return
    mailing.paused_from = MailingState.SENDING
    mailing.note = _(
        "Paused by itself: %(failed)d of its last %(of)d letters were refused for good.",
        failed=failed,
        of=of,
    )
    if said := _last_refusal(mailing_id):
        mailing.note += " " + _("The last answer was: %(answer)s", answer=said)
    _move(mailing, MailingState.PAUSED, now)
    letters.alert("paused", mailing.id, Permission.SEND, now)
    db.session.flush()


def _last_refusal(mailing_id: int) -> str | None:
    """What a relay said when it last refused one of the mailing's letters for good."""
    newest = (
        select(Attempt.code, Attempt.answer)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.mailing_id == mailing_id, Attempt.outcome == DeliveryState.FAILED)
        .order_by(Attempt.id.desc())
        .limit(1)
    )
    said = db.session.execute(newest).one_or_none()
    return said and f"{said.code or ''} {said.answer}".strip()


def _publish(mailing: Mailing, now: datetime) -> None:
    """Letters lead to the update's page, so it stands there from now on."""
    told = mailing.update
    if told.archived and (told.published_at is None or told.published_at > now):
        told.published_at = now
        audit.record("publish update", told, now, by=None)


def _address(mailing: Mailing, members: Select[int], now: datetime) -> None:
    about = mailing.update.campaign_id
    due = _due_at(mailing, hours.zones(members), now)
    too_late = literal(False) if mailing.expires_at is None else due >= mailing.expires_at
    values = {
        Delivery.letter: literal(LetterKind.MAILING, Delivery.letter.type),
        Delivery.mailing_id: literal(mailing.id, Delivery.mailing_id.type),
        Delivery.occasion: literal(""),
        Delivery.address_hash: Donor.address_hash,
        Delivery.donor_id: Donor.id,
        Delivery.campaign_id: literal(about, Delivery.campaign_id.type),
        Delivery.purpose: literal(mailing.purpose, Delivery.purpose.type),
        Delivery.locale: func.coalesce(Donor.locale, first_language()),
        Delivery.state: case((too_late, _state(DeliveryState.EXPIRED)), else_=_state(_QUEUED)),
        Delivery.settled_at: case((too_late, literal(now, Delivery.settled_at.type))),
        Delivery.due_at: due,
        Delivery.expires_at: literal(mailing.expires_at, Delivery.expires_at.type),
        Delivery.attempts: literal(0),
        Delivery.created_at: literal(now, Delivery.created_at.type),
    }
    recipients = (
        select(*values.values())
        .where(Donor.id.in_(members))
        .where(suppression.passed_over(mailing.purpose, about).is_(None))
        .order_by(Donor.id)
    )
    names = [column.key for column in values]
    db.session.execute(
        insert(letters.DELIVERIES).from_select(names, recipients).on_conflict_do_nothing()
    )


def _due_at(
    mailing: Mailing, zones: Iterable[str | None], now: datetime
) -> ColumnElement[datetime]:
    """When each donor's letter may go, by their zone: there are few such moments."""
    kept = hours.ours()
    local = datetime.fromisoformat(mailing.local_time) if mailing.local_time else None
    when = {zone: _opens(kept, mailing.purpose, local, zone, now) for zone in zones}
    rest = literal(when.pop(None, now), Moment())
    moments = sorted(set(when.values()))
    theirs = [
        (
            Donor.timezone.in_(sorted(zone for zone, at in when.items() if zone and at == moment)),
            literal(moment, Moment()),
        )
        for moment in moments
    ]
    return case(*theirs, else_=rest) if theirs else rest


def _opens(
    kept: hours.Hours, purpose: Purpose, local: datetime | None, zone: str | None, now: datetime
) -> datetime:
    """An hour that has passed there already is now, unless now is quiet there."""
    at = now if local is None else max(now, kept.moment(local, zone))
    return kept.opens(zone, purpose, at)


def _state(state: DeliveryState) -> ColumnElement[DeliveryState]:
    return literal(state, Delivery.state.type)


def _move(mailing: Mailing, to: MailingState, now: datetime) -> None:
    audit.record(f"{to} mailing", mailing, now, by=None, changes={"state": (mailing.state, to)})
    mailing.state = to


def _end(mailing: Mailing, to: MailingState, now: datetime) -> None:
    mailing.finished_at, mailing.paused_from = now, None
    _move(mailing, to, now)
    _close(Delivery.mailing_id == mailing.id, DeliveryState.EXPIRED, now)


def _close_leftovers(now: datetime) -> None:
    """Letters that may not go any more: service letters past their expiry, and those that came
    back from a relay as deferred after their mailing was cancelled or had expired."""
    past = and_(Delivery.mailing_id.is_(None), Delivery.expires_at <= now)
    _close(past, DeliveryState.EXPIRED, now)
    for ended, state in (
        (MailingState.CANCELLED, DeliveryState.CANCELLED),
        (MailingState.EXPIRED, DeliveryState.EXPIRED),
    ):
        lately = select(Mailing.id).where(
            Mailing.state == ended, Mailing.finished_at > now - _LEFTOVERS
        )
        _close(Delivery.mailing_id.in_(lately), state, now)


def _close(which: ColumnElement[bool], to: DeliveryState, now: datetime) -> None:
    db.session.execute(
        update(Delivery)
        .where(which, Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
        .values(state=to, settled_at=now)
        .execution_options(synchronize_session=False)
    )


def _locked(mailings: Select[Mailing]) -> list[Mailing]:
    """These rows, fresh, held until the transaction ends; those that others hold are left out."""
    held = mailings.with_for_update(skip_locked=True)
    return list(db.session.scalars(held.execution_options(populate_existing=True)))


def _has_open(mailing_id: int) -> bool:
    found = exists().where(Delivery.mailing_id == mailing_id, Delivery.state.in_(OPEN))
    return bool(db.session.scalar(select(found)))


def _late(mailing: Mailing, now: datetime) -> bool:
    if mailing.scheduled_at is None:
        return False
    return now > mailing.scheduled_at + timedelta(seconds=mailing.grace_seconds)
