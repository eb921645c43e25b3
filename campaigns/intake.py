"""Intake: book what a notice tells of, within its endpoint's bounds or as a person says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from campaigns import (
    audit,
    bookings,
    bounds,
    gifts,
    ledger,
    notices,
    posted,
    refunds,
    told,
    totals,
)
from campaigns.bookings import Booking, Differs, Returned
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Staff
from campaigns.notices import Came, Outcome
from campaigns.platforms.base import N_, Movement, NoticeError
from campaigns.posted import Post
from config import settings

# A refund may come before its donation, which says where it belongs; so long it waits for it.
PATIENCE = 5  # tries


@dataclass(frozen=True)
class Decided:
    """What a person said about a notice: by whom, why, and the listing where its money belongs."""

    by: Staff
    reason: str
    listing: Listing


BOOKED = Outcome(Verdict.BOOKED, N_("Booked."))
NOTHING = Outcome(Verdict.NOTHING, N_("It tells of no money that moved."))


def at_once(endpoint: WebhookEndpoint, came: Came, movement: Movement) -> Outcome | None:
    """Keep a verified post and book its movement by the fewest statements there can be.

    None if that takes more thought: then nothing was done, and `notices.take` and `book` do it.
    Where a number of the movement is known already this raises, and the transaction is over.
    """
    if movement.cumulative or movement.elsewhere or movement.passed or movement.refunds:
        return None
    notices.hear(endpoint, came.at)
    entered = posted.enter(_post(endpoint, came, movement))
    if entered is None:
        return None
    gifts.keep(entered.entry_id, entered.campaign_id, movement, endpoint, came.at)
    return BOOKED


def book(
    notice_id: int, endpoint: WebhookEndpoint, movements: Sequence[Movement], now: datetime
) -> Outcome:
    """Book what a notice tells of, all of it or nothing, and note what became of it.

    The second time the ledger knows the movements, so nothing changes.
    """
    outcome = _whole(movements, lambda one: _book(notice_id, endpoint, one, now))
    if outcome.verdict is Verdict.UNMATCHED and _donation_may_come(notice_id, movements):
        return notices.postpone(notice_id, outcome.reason, now)
    notices.settle(notice_id, outcome)
    return outcome


def again(notice: Notice, now: datetime) -> Outcome:
    """Book a kept notice from its body, as if it had just come."""
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    try:
        movements = told.by(notice)
    except NoticeError as error:
        outcome = Outcome(Verdict.FAILED, str(error))
        notices.settle(notice.id, outcome)
        return outcome
    return book(notice.id, endpoint, movements, now)


def assign(notice: Notice, decided: Decided, now: datetime) -> Outcome:
    """Book what a notice tells of to the listing that a person chose, all of it or nothing.

    What the ledger has against it becomes the verdict. Raises `notices.Settled` the second time,
    and `NoticeError` where the notice cannot be read.
    """
    return _decide(notice, decided, _book, "assigned notice", now)


def insist(notice: Notice, decided: Decided, now: datetime) -> Outcome:
    """Book what a notice tells of because a person says that it is true.

    What was reversed is booked again, and what the ledger holds otherwise is reversed and booked
    anew; both stay visible. Raises as `assign`.
    """
    return _decide(notice, decided, _book_anew, "booked as the notice says", now)


def leave(notice: Notice, reason: str, now: datetime, by: Staff) -> None:
    """A person decided that a notice is not booked. Raises `notices.Settled` the second time."""
    before = notices.reserve(notice)
    notices.settle(notice.id, Outcome(Verdict.LEFT, reason))
    changes = {"verdict": (before, Verdict.LEFT), "reason": (None, reason)}
    audit.record("left notice", notice, now, by=by, changes=changes)


def _post(endpoint: WebhookEndpoint, came: Came, movement: Movement) -> Post:
    kind = EntryKind(movement.kind)
    amount = bookings.signed(kind, movement.amount)
    keys = sorted(movement.keys)
    return Post(
        endpoint_id=endpoint.id,
        listing_id=endpoint.listing_id,
        campaign_id=endpoint.campaign_id,
        ref=movement.campaign_ref,
        event_id=came.event_id,
        body=came.body,
        body_hash=came.body_hash,
        headers=notices.harmless(came.headers),
        now=came.at,
        reason=BOOKED.reason,
        kind=kind,
        stage=_stage(kind),
        amount=amount.minor,
        currency=amount.currency,
        donations=bookings.gifts(kind),
        source=endpoint.source,
        occurred_at=movement.occurred_at,
        schemes=[key.scheme for key in keys],
        values=[key.value for key in keys],
        slot=totals.any_slot(),
        zone=settings().default_timezone,
    )


def _donation_may_come(notice_id: int, movements: Sequence[Movement]) -> bool:
    """Whether only the donation that is taken back could tell more, and may still come."""
    tries = db.session.scalar(select(Notice.tries).where(Notice.id == notice_id)) or 0
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


def _decide(
    notice: Notice, decided: Decided, book_one: Callable[..., None], action: str, now: datetime
) -> Outcome:
    before = notices.reserve(notice)
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    movements = told.by(notice)
    outcome = _whole(movements, lambda one: book_one(notice.id, endpoint, one, now, decided))
    notices.settle(notice.id, outcome)
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
    if movement.cumulative:
        refunds.insist(_booking(notice_id, endpoint, movement, decided), now)
        return
    try:
        with db.session.begin_nested():
            _book(notice_id, endpoint, movement, now, decided)
    except (Returned, Differs):
        held = bookings.holding(endpoint.source, movement.keys)
        if len(held) > 1:
            raise
        booking = _booking(notice_id, endpoint, movement, decided)
        if held:
            entry_id = ledger.rebook(held[0], booking, now).id
        else:
            entry_id = ledger.book(booking, now, although_alike=True).entry_id
        gifts.keep(entry_id, booking.listing.campaign_id, movement, endpoint, now)


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
