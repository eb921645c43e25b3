"""Notices: keep a verified post as it came, once, and note what became of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, or_, select, update

from campaigns import audit, told
from campaigns.db import db, insert
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.notice import UNSETTLED, Notice, NoticeBody, Verdict
from campaigns.model.staff import Staff
from campaigns.platforms.base import N_

# The waits after each failed try; then a person looks.
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 1800, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
# Two machines' clocks may differ by less.
SKEW = timedelta(minutes=2)
# Being heard is noted this often, so that not every post writes to the endpoint's one row.
HEARD_EVERY = timedelta(minutes=1)
NOTICES, BODIES = (cast(Table, noun.__table__) for noun in (Notice, NoticeBody))


@dataclass(frozen=True)
class Came:
    """A post whose signature held, as it came at a moment."""

    event_id: str
    body: bytes
    headers: Mapping[str, str]
    at: datetime

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What became of a notice."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Kept:
    """A notice that is kept; `new` unless it came before."""

    notice_id: int
    outcome: Outcome
    new: bool


class Settled(Exception):
    """The notice waits for nobody: somebody was quicker, or it was booked."""


WAITING = Outcome(Verdict.WAITING, N_("Kept, to be booked."))
OURS = N_("Something went wrong here while it was booked")
CONTRADICTS = Outcome(Verdict.CONFLICT, N_("This event id came before with another body."))


def take(endpoint: WebhookEndpoint, came: Came) -> Kept:
    """Keep a verified post.

    The second time it is the first notice that is returned, with what became of it. Another body
    under the same event id is kept too, as a conflict, unless it says the same once more, as a
    further attempt to deliver it does. Of two at once a unique key decides.
    """
    hear(endpoint, came.at)
    values = {
        "endpoint_id": endpoint.id,
        "event_id": came.event_id,
        "body_hash": came.body_hash,
        "headers": harmless(came.headers),
        "received_at": came.at,
        "tries": 0,
    }
    notice_id = _keep(values, came.body, WAITING)
    if notice_id is not None:
        return Kept(notice_id, WAITING, new=True)
    event = _event(endpoint, came.event_id)
    if event.body_hash != came.body_hash and not told.again(event, came.body):
        _keep(values | {"contradicts": event.id}, came.body, CONTRADICTS)
        return Kept(event.id, CONTRADICTS, new=False)
    # Where it went wrong here is for staff, and not for whoever sent it.
    reason = OURS if (event.reason or "").startswith(OURS) else event.reason or ""
    return Kept(event.id, Outcome(event.verdict, reason), new=False)


def hear(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Note when it was heard: every minute, and at once after a post that was refused."""
    heard, refused = endpoint.heard_at, endpoint.refused_at
    lately = heard is not None and now - HEARD_EVERY < heard <= now
    if lately and (refused is None or heard is None or not heard < refused <= now):
        return
    earlier = or_(
        WebhookEndpoint.heard_at.is_(None),
        ~WebhookEndpoint.heard_at.between(now - HEARD_EVERY, now),
        WebhookEndpoint.heard_at < WebhookEndpoint.refused_at,
    )
    db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint.id, earlier)
        .values(heard_at=now)
        .execution_options(synchronize_session=False)
    )


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """What helps to find a notice in a sender's log: no signature, no credentials."""
    return {
        name.lower(): value[:200]
        for name, value in headers.items()
        if name.lower() in ("content-type", "user-agent")
        or name.lower().endswith(("-id", "-timestamp", "-serial"))
    }


def settle(notice_id: int, outcome: Outcome) -> None:
    """Note a final outcome."""
    db.session.execute(
        update(NOTICES)
        .where(NOTICES.c.id == notice_id)
        .values(verdict=outcome.verdict, reason=outcome.reason[:500], next_try_at=None)
    )


def postpone(notice_id: int, reason: str, now: datetime) -> Outcome:
    """Booking failed in a way nobody foresaw: try again later, in the end leave it to a person."""
    notice = db.session.get_one(Notice, notice_id, with_for_update=True)
    notice.reason = reason[:500]
    notice.tries += 1
    if notice.tries > len(WAITS):
        notice.verdict, notice.next_try_at = Verdict.FAILED, None
    else:
        notice.verdict, notice.next_try_at = Verdict.WAITING, now + WAITS[notice.tries - 1]
    db.session.flush()
    return Outcome(notice.verdict, N_("Kept; it will be booked later."))


def due(now: datetime) -> Notice | None:
    """A waiting notice whose next try is due, locked until the transaction ends; or None.

    One that is put off for longer than any was put off by a clock that was ahead, and is due.
    """
    absurd = Notice.next_try_at > now + WAITS[-1] + SKEW
    return db.session.scalar(
        select(Notice)
        .where(Notice.verdict == Verdict.WAITING, or_(Notice.next_try_at <= now, absurd))
        .order_by(Notice.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def reserve(notice: Notice) -> Verdict:
    """The verdict that a person is about to change; others wait until they have.

    Raises `Settled` where it waits for nobody.
    """
    db.session.refresh(notice, with_for_update=True)
    if notice.verdict not in UNSETTLED:
        raise Settled
    return notice.verdict


def wait_again(notice: Notice, now: datetime, by: Staff) -> bool:
    """Let the worker book it once more, since what it named may be known by now.

    False, and nothing changes, for one that was booked, waits already, or needs another remedy.
    """
    if notice.verdict not in (Verdict.UNMATCHED, Verdict.FAILED):
        return False
    changes = {"verdict": (notice.verdict, Verdict.WAITING)}
    notice.verdict, notice.tries, notice.next_try_at = Verdict.WAITING, 0, now
    audit.record("book again", notice, now, by=by, changes=changes)
    return True


def _keep(values: Mapping[str, object], body: bytes, outcome: Outcome) -> int | None:
    """The new notice's id; None if one stands in its place."""
    notice_id: int | None = db.session.scalar(
        insert(NOTICES)
        .values(**values, verdict=outcome.verdict, reason=outcome.reason)
        .on_conflict_do_nothing()
        .returning(NOTICES.c.id)
    )
    if notice_id is not None:
        db.session.execute(insert(BODIES).values(notice_id=notice_id, content=body))
    return notice_id


def _event(endpoint: WebhookEndpoint, event_id: str) -> Notice:
    return db.session.scalars(
        select(Notice)
        .where(
            Notice.endpoint_id == endpoint.id,
            Notice.event_id == event_id,
            Notice.contradicts.is_(None),
        )
        .execution_options(populate_existing=True)
    ).one()
