"""Intake: keep a notice as it came, and book the money it tells of within its endpoint's bounds."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, or_, select, update

from campaigns import audit, bounds, figures, gifts, ledger, posted, refunds, told
from campaigns.db import db, insert
from campaigns.ledger import Booking, Differs, Returned
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.model.notice import UNSETTLED, Notice, NoticeBody, Verdict
from campaigns.model.staff import Staff
from campaigns.platforms.base import N_, Movement, NoticeError
from campaigns.posted import Post
from config import settings

# The waits after each failed try; then a person looks.
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 1800, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
# A refund may come before its donation, which says where it belongs; so long it waits for it.
PATIENCE = 5  # tries
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


@dataclass(frozen=True)
class Decided:
    """What a person said about a notice: by whom, why, and the listing where its money belongs."""

    by: Staff
    reason: str
    listing: Listing


class Settled(Exception):
    """The notice waits for nobody: somebody was quicker, or it was booked."""


WAITING = Outcome(Verdict.WAITING, N_("Kept, to be booked."))
BOOKED = Outcome(Verdict.BOOKED, N_("Booked."))
NOTHING = Outcome(Verdict.NOTHING, N_("It tells of no money that moved."))
CONTRADICTS = Outcome(Verdict.CONFLICT, N_("This event id came before with another body."))


def at_once(endpoint: WebhookEndpoint, came: Came, movement: Movement) -> Outcome | None:
    """Keep a verified post and book its movement by the fewest statements there can be.

    None if that takes more thought: then nothing was done, and `take` and `book` do it. Where a
    number of the movement is known already this raises, and the transaction is over.
    """
    if movement.cumulative or movement.elsewhere or movement.passed or movement.refunds:
        return None
    _hear(endpoint, came.at)
    entered = posted.enter(_post(endpoint, came, movement))
    if entered is None:
        return None
    gifts.keep(entered.entry_id, entered.campaign_id, movement, endpoint, came.at)
    return BOOKED


def take(endpoint: WebhookEndpoint, came: Came) -> Kept:
    """Keep a verified post.

    The second time it is the first notice that is returned, with what became of it. Another body
    under the same event id is kept too, as a conflict, unless it says the same once more, as a
    further attempt to deliver it does. Of two at once a unique key decides.
    """
    _hear(endpoint, came.at)
    values = {
        "endpoint_id": endpoint.id,
        "event_id": came.event_id,
        "body_hash": came.body_hash,
        "headers": _harmless(came.headers),
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
    return Kept(event.id, Outcome(event.verdict, event.reason or ""), new=False)


def book(
    notice_id: int, endpoint: WebhookEndpoint, movements: Sequence[Movement], now: datetime
) -> Outcome:
    """Book what a notice tells of, all of it or nothing, and note what became of it.

    The second time the ledger knows the movements, so nothing changes.
    """
    outcome = _whole(movements, lambda one: _book(notice_id, endpoint, one, now))
    if outcome.verdict is Verdict.UNMATCHED and _donation_may_come(notice_id, movements):
        return postpone(notice_id, outcome.reason, now)
    settle(notice_id, outcome)
    return outcome


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
    return Outcome(notice.verdict, "Kept; it will be booked later.")


def due(now: datetime) -> Notice | None:
    """A waiting notice whose next try is due, locked until the transaction ends; or None."""
    return db.session.scalar(
        select(Notice)
        .where(Notice.verdict == Verdict.WAITING, Notice.next_try_at <= now)
        .order_by(Notice.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def again(notice: Notice, now: datetime) -> Outcome:
    """Book a kept notice from its body, as if it had just come."""
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    try:
        movements = told.by(notice)
    except NoticeError as error:
        outcome = Outcome(Verdict.FAILED, str(error))
        settle(notice.id, outcome)
        return outcome
    return book(notice.id, endpoint, movements, now)


def assign(notice: Notice, decided: Decided, now: datetime) -> Outcome:
    """Book what a notice tells of to the listing that a person chose, all of it or nothing.

    What the ledger has against it becomes the verdict. Raises `Settled` the second time, and
    `NoticeError` where the notice cannot be read.
    """
    return _decide(notice, decided, _book, "assigned notice", now)


def insist(notice: Notice, decided: Decided, now: datetime) -> Outcome:
    """Book what a notice tells of because a person says that it is true.

    What was reversed is booked again, and what the ledger holds otherwise is reversed and booked
    anew; both stay visible. Raises as `assign`.
    """
    return _decide(notice, decided, _book_anew, "booked as the notice says", now)


def leave(notice: Notice, reason: str, now: datetime, by: Staff) -> None:
    """A person decided that a notice is not booked. Raises `Settled` the second time."""
    before = _reserve(notice)
    settle(notice.id, Outcome(Verdict.LEFT, reason))
    changes = {"verdict": (before, Verdict.LEFT), "reason": (None, reason)}
    audit.record("left notice", notice, now, by=by, changes=changes)


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


def _post(endpoint: WebhookEndpoint, came: Came, movement: Movement) -> Post:
    kind = EntryKind(movement.kind)
    amount = ledger.signed(kind, movement.amount)
    keys = sorted(movement.keys)
    return Post(
        endpoint_id=endpoint.id,
        listing_id=endpoint.listing_id,
        campaign_id=endpoint.campaign_id,
        ref=movement.campaign_ref,
        event_id=came.event_id,
        body=came.body,
        body_hash=came.body_hash,
        headers=_harmless(came.headers),
        now=came.at,
        reason=BOOKED.reason,
        kind=kind,
        stage=_stage(kind),
        amount=amount.minor,
        currency=amount.currency,
        donations=ledger.gifts(kind),
        source=endpoint.source,
        occurred_at=movement.occurred_at,
        regards=_regards(movement),
        schemes=[key.scheme for key in keys],
        values=[key.value for key in keys],
        slot=figures.any_slot(),
        zone=settings().default_timezone,
    )


def _hear(endpoint: WebhookEndpoint, now: datetime) -> None:
    if endpoint.heard_at is not None and endpoint.heard_at > now - HEARD_EVERY:
        return
    earlier = or_(WebhookEndpoint.heard_at.is_(None), WebhookEndpoint.heard_at <= now - HEARD_EVERY)
    db.session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint.id, earlier)
        .values(heard_at=now)
        .execution_options(synchronize_session=False)
    )


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """What helps to find a notice in a sender's log: no signature, no credentials."""
    return {
        name.lower(): value[:200]
        for name, value in headers.items()
        if name.lower() in ("content-type", "user-agent")
        or name.lower().endswith(("-id", "-timestamp", "-serial"))
    }


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


def _donation_may_come(notice_id: int, movements: Sequence[Movement]) -> bool:
    """Whether only the donation that is taken back could tell more, and may still come."""
    tries = db.session.scalar(select(NOTICES.c.tries).where(NOTICES.c.id == notice_id)) or 0
    return tries < PATIENCE and all(movement.refunds for movement in movements)


def _whole(movements: Sequence[Movement], book_one: Callable[[Movement], None]) -> Outcome:
    """All of it, or nothing and the reason."""
    try:
        with db.session.begin_nested():
            for movement in movements:
                book_one(movement)
    except bounds.Unmatched as error:
        return Outcome(Verdict.UNMATCHED, str(error))
    except Returned as error:
        return Outcome(Verdict.RETURNED, str(error))
    except Differs as error:
        return Outcome(Verdict.CONFLICT, str(error))
    return BOOKED if movements else NOTHING


def _reserve(notice: Notice) -> Verdict:
    """The verdict that a person is about to change; others wait until they have."""
    db.session.refresh(notice, with_for_update=True)
    if notice.verdict not in UNSETTLED:
        raise Settled
    return notice.verdict


def _decide(
    notice: Notice, decided: Decided, book_one: Callable[..., None], action: str, now: datetime
) -> Outcome:
    before = _reserve(notice)
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    movements = told.by(notice)
    outcome = _whole(movements, lambda one: book_one(notice.id, endpoint, one, now, decided))
    settle(notice.id, outcome)
    changes = {
        "verdict": (before, outcome.verdict),
        "listing": (None, decided.listing.id),
        "reason": (None, decided.reason or None),
    }
    audit.record(action, notice, now, by=decided.by, changes=changes)
    return outcome


def _book(
    notice_id: int,
    endpoint: WebhookEndpoint,
    movement: Movement,
    now: datetime,
    decided: Decided | None = None,
) -> None:
    booking = _booking(notice_id, endpoint, movement, decided)
    booked = (refunds if movement.cumulative else ledger).book(booking, now)
    gifts.keep(booked.entry_id, booking.listing.campaign_id, movement, endpoint, now)


def _book_anew(
    notice_id: int, endpoint: WebhookEndpoint, movement: Movement, now: datetime, decided: Decided
) -> None:
    try:
        with db.session.begin_nested():
            _book(notice_id, endpoint, movement, now, decided)
    except (Returned, Differs):
        if movement.cumulative:
            refunds.insist(_booking(notice_id, endpoint, movement, decided), now)
            return
        held = ledger.holding(endpoint.source, movement.keys)
        if len(held) != 1:
            raise
        booking = _booking(notice_id, endpoint, movement, decided)
        entry = ledger.rebook(held[0], booking, now)
        gifts.keep(entry.id, entry.campaign_id, movement, endpoint, now)


def _booking(
    notice_id: int, endpoint: WebhookEndpoint, movement: Movement, decided: Decided | None
) -> Booking:
    kind = EntryKind(movement.kind)
    return Booking(
        listing=decided.listing if decided else _place(endpoint, movement),
        kind=kind,
        amount=movement.amount,
        occurred_at=movement.occurred_at,
        source=endpoint.source,
        keys=movement.keys,
        door=Door.WEBHOOK,
        notice_id=notice_id,
        staff_id=decided.by.id if decided else None,
        reason=decided.reason or None if decided else None,
        regards=_regards(movement),
        stage=_stage(kind),
    )


def _place(endpoint: WebhookEndpoint, movement: Movement) -> Listing:
    order = next((key.value for key in movement.keys if key.scheme == "order"), None)
    named = bounds.Named(
        ref=movement.campaign_ref,
        passed=movement.passed,
        order=order,
        regards=_regards(movement),
        elsewhere=movement.elsewhere,
    )
    return bounds.place(endpoint, named)


def _regards(movement: Movement) -> str | None:
    return ":".join(movement.refunds) if movement.refunds else None


def _stage(kind: EntryKind) -> MatchStage | None:
    return MatchStage.CONFIRMED if kind is EntryKind.MATCH else None
