"""Deliveries in the hands of staff: settling unknowns, sending again what failed."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, insert, update

from campaigns import audit, hours, letter_reasons
from campaigns.db import db
from campaigns.model.delivery import LONGEST_TRIED, Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Permission, Staff

State = DeliveryState


class Refused(Exception):
    """A step that cannot be taken. Its text is a sentence for the person who tried."""


class NotUnknown(Refused):
    """The letter's outcome is known; somebody or a late answer settled it."""


class NotSent(Refused):
    """The mailing is in no state in which its letters could be sent again."""


class NotAllowed(Refused):
    """The person lacks the permission."""


def settle_unknown(
    delivery: Delivery, sent: bool, by: Staff | None, now: datetime, *, reason: str = ""
) -> None:
    """A person found out whether the letter arrived, and how they know. It is not sent again.

    The second time raises `NotUnknown`, as does a letter that a late answer settled.
    """
    _demand(by)
    outcome = State.SENT if sent else State.FAILED
    settled = db.session.scalar(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.state == State.UNKNOWN)
        .values(state=outcome, settled_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(delivery)
    if settled is None:
        raise NotUnknown(_("What became of this letter is known by now. Please look again."))
    _note(delivery.id, outcome, letter_reasons.BY_STAFF, now)
    changes: dict[str, tuple[object, object]] = {"state": (State.UNKNOWN, outcome)}
    audit.record("settle delivery", delivery, now, by=by, changes=changes | _why(reason))


def resend(
    mailing: Mailing,
    by: Staff | None,
    now: datetime,
    which: Sequence[ColumnElement[bool]] = (),
    *,
    reason: str = "",
) -> int:
    """Queue a mailing's failed letters again, or `which` of them; returns how many.

    Whether we may still write is asked again at the claim. A mailing that was sent is sending
    again until they have an outcome; its own expiry no longer holds. The second time finds
    nothing failed and does nothing.
    """
    _demand(by)
    held = db.session.get_one(Mailing, mailing.id, populate_existing=True, with_for_update=True)
    if held.state not in (MailingState.SENDING, MailingState.SENT):
        raise NotSent(_("Only a mailing that was sent can be sent again."))
    failed = [Delivery.mailing_id == held.id, Delivery.state == State.FAILED, *which]
    # They wait until they may go, as letters do, and are tried as long as any.
    until = hours.ours().opens(None, held.purpose, now) + LONGEST_TRIED
    queued = db.session.scalars(
        update(Delivery)
        .where(*failed)
        .values(
            state=State.QUEUED,
            due_at=now,
            settled_at=None,
            attempts=0,
            expires_at=until,
            earlier_token_hash=Delivery.token_hash,
            token_hash=None,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    if queued:
        held.state, held.finished_at, held.expires_at = MailingState.SENDING, None, None
        changes: dict[str, tuple[object, object]] = {"letters": (None, len(queued))}
        if len(queued) == 1:
            changes["letter"] = (None, queued[0])
        audit.record("resend mailing", held, now, by=by, changes=changes | _why(reason))
    db.session.flush()
    return len(queued)


def _why(reason: str) -> dict[str, tuple[object, object]]:
    return {"reason": (None, reason)} if reason else {}


def _note(delivery_id: int, outcome: State, answer: str, now: datetime) -> None:
    values = {"delivery_id": delivery_id, "at": now, "transport": "", "outcome": outcome}
    db.session.execute(insert(Attempt).values(answer=answer, **values))


def _demand(by: Staff | None) -> None:
    if by is not None and not by.may(Permission.SEND):
        raise NotAllowed(_("Your role does not allow this step."))
