"""Mailings: the steps that people take, from draft to scheduled, and back (design §7).

Each step is one conditional statement: where another took a step in between, and the second time
of the same one, `WrongState` is raised and nothing changes. `by` is None for commands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from flask_babel import gettext as _
from sqlalchemy import CursorResult, and_, func, or_, select, update

from campaigns import audit, blocks, hours, proofreading
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingText
from campaigns.model.mailing import MailingState as State
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Permission, Staff
from campaigns.model.update import Update, UpdateKind
from config import settings

# How far in the past an hour may lie and still mean "now".
_NOW = timedelta(minutes=5)
# A change takes a mailing that has not begun back to those who approve.
_NOT_BEGUN = (State.IN_REVIEW, State.APPROVED, State.SCHEDULED, State.MISSED)
_UNAPPROVED = (State.DRAFT, State.IN_REVIEW)
_CANCELLABLE = (State.DRAFT, *_NOT_BEGUN, State.SENDING, State.PAUSED)


class Refused(Exception):
    """A step that cannot be taken. Its text is a sentence for the person who tried."""


class WrongState(Refused):
    """The mailing is not where this step begins."""


class NotAllowed(Refused):
    """The person lacks the permission."""


class OwnMailing(Refused):
    """Who wrote a mailing cannot approve it."""


class NothingToSay(Refused):
    """There is no language in which the update has both a title and a text."""


class NotReady(Refused):
    """The text has something that proofreading finds grave."""


class ChangedMeanwhile(Refused):
    """The text is no longer the one that was looked at."""


class BadHour(Refused):
    """The hour has passed, or the mailing would expire before it begins."""


def draft(update: Update, segment: Mapping[str, Any], by: Staff | None, now: datetime) -> Mailing:
    """A new mailing of an update, whose purpose follows from the update's kind."""
    _demand(by, Permission.WRITE)
    about_campaign = update.kind is UpdateKind.UPDATE
    mailing = Mailing(
        update_id=update.id,
        purpose=Purpose.UPDATES if about_campaign else Purpose.NEWSLETTER,
        segment=dict(segment),
        author_id=by.id if by else None,
        skipped={},
        created_at=now,
    )
    db.session.add(mailing)
    db.session.flush()
    audit.record("draft mailing", mailing, now, by=by)
    return mailing


def submit(mailing: Mailing, by: Staff | None, now: datetime) -> None:
    """Ask for approval."""
    _demand(by, Permission.WRITE)
    _written(mailing.update, now)
    _step(mailing, (State.DRAFT,), State.IN_REVIEW, by, now, note=None)


def send_back(mailing: Mailing, reason: str, by: Staff | None, now: datetime) -> None:
    """Back to its author, with the reason as a note."""
    _demand(by, Permission.APPROVE)
    _step(mailing, (State.IN_REVIEW,), State.DRAFT, by, now, note=reason)


def approve(
    mailing: Mailing, by: Staff | None, now: datetime, *, text_of: datetime | None = None
) -> None:
    """Freeze the text in each language, the segment and the sender.

    `text_of` is the update's `changed_at` that the approver looked at; another text raises
    `ChangedMeanwhile`. The author may approve only where nobody else works here (`OwnMailing`).
    """
    _demand(by, Permission.APPROVE)
    if by is not None and mailing.is_by(by.id) and _has_colleagues():
        raise OwnMailing(_("Somebody else must approve what you wrote."))
    if text_of is not None and mailing.update.changed_at != text_of:
        raise ChangedMeanwhile(_("The text was changed after you opened it. Please read it again."))
    texts = _written(mailing.update, now)
    ours = db.session.scalar(select(Organisation).where(Organisation.ours))
    _step(
        mailing,
        (State.IN_REVIEW,),
        State.APPROVED,
        by,
        now,
        note=None,
        approved_by=by.id if by else None,
        approved_at=now,
        sender=(ours and ours.sender) or settings().mail_from,
        reply_to=ours.reply_to if ours else None,
    )
    mailing.texts = texts
    db.session.flush()


def schedule(
    mailing: Mailing,
    at: datetime,
    by: Staff | None,
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> None:
    """Set or change the hour; one within the last minutes means now. May be repeated.

    So does a person give a mailing whose hour was missed a new one (promise P6).
    """
    _give(mailing, (at, at), by, now, expires_at=expires_at)


def schedule_by_zone(
    mailing: Mailing,
    local: datetime,
    zones: Iterable[str | None],
    by: Staff | None,
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> None:
    """As `schedule`, but each letter goes when clocks where its donor lives show `local`.

    `zones` are those of its donors. It begins with the first of them; where the hour has passed by
    then, letters go at once. An hour that has passed in every zone raises `BadHour`.
    """
    kept = hours.ours()
    moments = [kept.moment(local, zone) for zone in zones]
    span = max(min(moments), now), max(moments)
    _give(mailing, span, by, now, expires_at=expires_at, local_time=f"{local:%Y-%m-%dT%H:%M}")


def _give(
    mailing: Mailing,
    span: tuple[datetime, datetime],
    by: Staff | None,
    now: datetime,
    *,
    expires_at: datetime | None,
    local_time: str | None = None,
) -> None:
    """Its hour, from the first zone's to the last one's."""
    _demand(by, Permission.SEND)
    first, last = span
    if last < now - _NOW:
        raise BadHour(_("This hour has passed. Choose a later one."))
    if expires_at is not None and expires_at <= max(first, now):
        raise BadHour(_("The mailing would expire before it begins."))
    begins_in = (State.APPROVED, State.SCHEDULED, State.MISSED)
    hour = {"scheduled_at": first, "local_time": local_time, "expires_at": expires_at}
    _step(mailing, begins_in, State.SCHEDULED, by, now, note=None, **hour)


def pause(mailing: Mailing, by: Staff | None, now: datetime) -> None:
    """Claim no more of its letters; those in hand are finished."""
    _demand(by, Permission.SEND)
    was = Mailing.state
    _step(mailing, (State.SCHEDULED, State.SENDING), State.PAUSED, by, now, paused_from=was)


def resume(mailing: Mailing, by: Staff | None, now: datetime) -> None:
    """Back to where it was paused. An hour that has passed meanwhile may count as missed."""
    _demand(by, Permission.SEND)
    back = mailing.paused_from or State.SCHEDULED
    _step(mailing, (State.PAUSED,), State(back), by, now, paused_from=None, note=None)


def cancel(mailing: Mailing, by: Staff | None, now: datetime) -> None:
    """End it. Letters not yet claimed become `cancelled`; those in hand are finished.

    If it was this mailing that brought the update to the public, it is public no more.
    """
    _demand(by, Permission.WRITE if mailing.state in _UNAPPROVED else Permission.SEND)
    _step(mailing, _CANCELLABLE, State.CANCELLED, by, now, finished_at=now, paused_from=None)
    db.session.execute(
        update(Delivery)
        .where(Delivery.mailing_id == mailing.id)
        .where(Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
        .values(state=DeliveryState.CANCELLED, settled_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()
    told = mailing.update
    if mailing.started_at is not None and told.published_at == mailing.started_at:
        told.published_at = None
        audit.record("take down update", told, now, by=by)


def change_segment(
    mailing: Mailing, segment: Mapping[str, Any], by: Staff | None, now: datetime
) -> None:
    """Send to others; approved or scheduled ones go back to review."""
    _demand(by, Permission.WRITE)
    to = State.DRAFT if mailing.state is State.DRAFT else State.IN_REVIEW
    _step(mailing, (State.DRAFT, *_NOT_BEGUN), to, by, now, segment=dict(segment), **_unapproved())
    mailing.texts = []
    db.session.flush()


def text_changed(changed: Update, by: Staff | None, now: datetime) -> None:
    """The update's text is another: its mailings that have not begun go back to review.

    Who changed it counts as the author, so that nobody approves their own words by a detour.
    """
    paused_before = and_(Mailing.state == State.PAUSED, Mailing.paused_from == State.SCHEDULED)
    waiting = or_(Mailing.state.in_((State.DRAFT, *_NOT_BEGUN)), paused_before)
    of_this = select(Mailing).where(Mailing.update_id == changed.id, waiting)
    for mailing in db.session.scalars(of_this).all():
        author = by.id if by else mailing.author_id
        if mailing.state is State.DRAFT:
            mailing.author_id = author
            continue
        values = _unapproved() | {"author_id": author}
        _step(mailing, (mailing.state,), State.IN_REVIEW, by, now, **values)
        mailing.texts = []
    db.session.flush()


def _step(
    mailing: Mailing,
    begins_in: Sequence[State],
    to: State,
    by: Staff | None,
    now: datetime,
    **values: Any,
) -> None:
    before = mailing.state
    taken = db.session.execute(
        update(Mailing)
        .where(Mailing.id == mailing.id, Mailing.state.in_(begins_in))
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(mailing)
    if not cast("CursorResult[Any]", taken).rowcount:
        raise WrongState(_("The mailing is no longer where this step begins. Please look again."))
    audit.record(f"{to} mailing", mailing, now, by=by, changes={"state": (before, to)})


def _unapproved() -> dict[str, Any]:
    """What approval and schedule had set, taken back."""
    names = "approved_by approved_at scheduled_at local_time expires_at sender reply_to paused_from"
    return dict.fromkeys(names.split())


def _written(text_of: Update, now: datetime) -> list[MailingText]:
    """Its texts, with everything live in them as it stands now."""
    live = blocks.live(text_of.campaign_id, now)
    texts = [
        MailingText(
            locale=text.locale,
            subject=live.title(text.title, text.locale),
            body=live.body(text.body, text.locale),
        )
        for text in text_of.texts
        if text.title.strip() and text.body.strip()
    ]
    if not texts:
        raise NothingToSay(_("Write a title and a text first."))
    if wrong := proofreading.grave(text_of, now):
        raise NotReady(wrong.says)
    return texts


def _has_colleagues() -> bool:
    return (db.session.scalar(select(func.count(Staff.id)).where(Staff.active)) or 0) > 1


def _demand(by: Staff | None, permission: Permission) -> None:
    if by is not None and not by.may(permission):
        raise NotAllowed(_("Your role does not allow this step."))
