"""Standstill: what a database that was set back to an earlier state must not go on with by itself.

Since that state letters may have gone out of which it knows nothing. So every mailing that would
go on stops until a person says so, and every letter that is still to be sent counts as unknown.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask_babel import gettext as _
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    exists,
    insert,
    literal,
    select,
    update,
)

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import OPEN, Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.timeline import Timeline, TimelineCause

_WHY = "The database was set back to an earlier state; the letter may have been sent since."
MAILINGS, DELIVERIES, ATTEMPTS, AUDIT, TIMELINES = (
    cast(Table, model.__table__) for model in (Mailing, Delivery, Attempt, AuditRecord, Timeline)
)
_OPEN = DELIVERIES.c.state.in_(OPEN)


@dataclass(frozen=True)
class Stopped:
    """How many letters became unknown, and how many mailings wait for a person."""

    letters: int
    mailings: int


def stop(
    connection: Connection, cause: TimelineCause, as_of: datetime | None, now: datetime
) -> Stopped:
    """Stop what would go on, and begin another timeline, all in the caller's transaction.

    A mailing that is being sent, or whose hour is to come, is paused; one whose hour has passed is
    missed. `as_of` is the moment that the rows are of, where it is known. The second time finds
    nothing to stop, and begins a timeline nevertheless.
    """
    stopped = Stopped(_doubt_letters(connection, now), _stop_mailings(connection, now))
    row = {"name": secrets.token_hex(16), "cause": cause, "began_at": now, "as_of": as_of}
    counts = {"letters": stopped.letters, "mailings": stopped.mailings}
    made = connection.execute(insert(TIMELINES).values(**row, **counts).returning(TIMELINES.c.id))
    changes = {name: [None, str(number)] for name, number in counts.items()}
    if as_of is not None:
        changes["as_of"] = [None, as_of.isoformat()]
    _note(connection, f"{cause} database", ("timeline", made.scalar_one()), changes, now)
    return stopped


def unconfirmed() -> list[Timeline]:
    """Set-backs that no person has confirmed yet, the newest first."""
    rows = select(Timeline).where(_unconfirmed()).order_by(Timeline.id.desc())
    return list(db.session.scalars(rows))


def in_doubt(of: datetime) -> bool:
    """Whether what happened at `of` may have been thanked for in a history that is lost.

    Until a person confirms that what had come since was booked again.
    """
    return bool(db.session.scalar(select(exists().where(_unconfirmed(), Timeline.began_at > of))))


def _unconfirmed() -> ColumnElement[bool]:
    return and_(Timeline.cause != TimelineCause.NEW, Timeline.confirmed_at.is_(None))


def _doubt_letters(connection: Connection, now: datetime) -> int:
    """Each gets an attempt that says why, before its row is changed."""
    values = {
        "delivery_id": DELIVERIES.c.id,
        "at": literal(now, ATTEMPTS.c.at.type),
        "transport": literal(""),
        "outcome": literal(DeliveryState.UNKNOWN, ATTEMPTS.c.outcome.type),
        "answer": literal(_WHY),
    }
    why = select(*values.values()).where(_OPEN).order_by(DELIVERIES.c.id)
    connection.execute(insert(ATTEMPTS).from_select(list(values), why))
    unknown = update(DELIVERIES).where(_OPEN)
    return connection.execute(unknown.values(state=DeliveryState.UNKNOWN, claimed_by=None)).rowcount


def _stop_mailings(connection: Connection, now: datetime) -> int:
    going = (MailingState.SCHEDULED, MailingState.SENDING)
    rows = connection.execute(
        select(MAILINGS.c.id, MAILINGS.c.state, MAILINGS.c.scheduled_at)
        .where(MAILINGS.c.state.in_(going))
        .order_by(MAILINGS.c.id)
        .with_for_update()
    ).all()
    note = _("The database was set back to an earlier state. See whether this was sent since.")
    for row in rows:
        missed = row.state is MailingState.SCHEDULED and row.scheduled_at <= now
        to = MailingState.MISSED if missed else MailingState.PAUSED
        paused_from = None if missed else row.state
        connection.execute(
            update(MAILINGS)
            .where(MAILINGS.c.id == row.id)
            .values(state=to, paused_from=paused_from, note=note)
        )
        changes = {"state": [str(row.state), str(to)]}
        _note(connection, f"{to} mailing", ("mailing", row.id), changes, now)
    return len(rows)


def _note(
    connection: Connection,
    action: str,
    subject: tuple[str, int],
    changes: Mapping[str, Sequence[str | None]],
    now: datetime,
) -> None:
    """An audit record, for a database that the session may not be on."""
    kind, number = subject
    values = {"at": now, "actor": "system", "action": action, "changes": dict(changes)}
    connection.execute(insert(AUDIT).values(subject=kind, subject_id=number, **values))
