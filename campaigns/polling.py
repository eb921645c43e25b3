"""Polling: taking the listings that are due, asking their platforms, noting what went wrong."""

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select, update

from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Asking, Listing, PollFailure
from campaigns.platforms import registry
from campaigns.platforms.base import (
    N_,
    Answer,
    Ask,
    Busy,
    Gone,
    PlatformError,
    Reading,
    Refused,
    Unreadable,
)

log = logging.getLogger(__name__)

# Longer than any question may take; a worker that died loses the listing for this long.
LEASE = timedelta(seconds=60)
# A failing listing is asked again after its period times 2, 4, 8 … but at least this often.
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.1

Fetch = Callable[[Ask], Answer]


@dataclass(frozen=True)
class Question:
    """One due listing, with all that is needed to ask without the database."""

    listing_id: int
    platform: str
    external_id: str
    url: str
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True)
class Response:
    """What came of a question: a reading, "nothing changed" (neither), or an error."""

    question: Question
    reading: Reading | None = None
    error: PlatformError | None = None
    etag: str | None = None
    last_modified: str | None = None


def take_due(now: datetime, limit: int = 64, *, every: bool = False) -> list[Question]:
    """Lease the listings that are due, in one statement. Each is another worker's for `LEASE`.

    The second call at the same moment finds nothing. `every` takes those not yet due too.
    """
    live = select(Campaign.id).where(Campaign.state.in_((CampaignState.LIVE, CampaignState.PAUSED)))
    due = select(Listing.id).where(Listing.asking == Asking.ASKED, Listing.campaign_id.in_(live))
    if not every:
        due = due.where(Listing.next_poll_at <= now)
    due = due.order_by(Listing.next_poll_at).limit(limit).with_for_update(skip_locked=True)
    taken = db.session.execute(
        update(Listing)
        .where(Listing.id.in_(due))
        .values(next_poll_at=now + LEASE)
        .returning(
            Listing.id,
            Listing.platform,
            Listing.external_id,
            Listing.url,
            Listing.etag,
            Listing.last_modified,
        )
        .execution_options(synchronize_session=False)
    )
    return [Question(*row) for row in taken]


def put(question: Question, fetch: Fetch, origins: Mapping[str, str]) -> Response:
    """Ask the platform. Never raises: whatever goes wrong concerns this one listing alone.

    Knows no database, so any thread may.
    """
    try:
        platform = registry.platform(question.platform)
        ask = platform.ask(question.external_id, question.url, origins.get(question.platform))
        answer = fetch(ask.unless_changed(question.etag, question.last_modified))
        reading = None if answer.not_modified else platform.read(answer)
    except PlatformError as error:
        return Response(question, error=error)
    except Exception as error:
        # A fault of ours, but the other listings of this round are not to suffer by it.
        log.exception("Listing %d could not be asked.", question.listing_id)
        return Response(question, error=Unreadable(N_("Our own fault"), type(error).__name__))
    return Response(
        question,
        reading,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
    )


def release(questions: Iterable[Question], now: datetime) -> None:
    """Give back what was taken and could not be asked in time: due again at once."""
    ids = [question.listing_id for question in questions]
    db.session.execute(update(Listing).where(Listing.id.in_(ids)).values(next_poll_at=now))


def host(question: Question, origins: Mapping[str, str]) -> str:
    """Whom the question goes to, for limits per host."""
    origin = origins.get(question.platform) or registry.platform(question.platform).ORIGIN
    return urlsplit(origin or question.url).netloc


def settle(listing: Listing, response: Response, now: datetime) -> None:
    """Note that the listing was asked, and when to ask it again; a failure is kept with its reason.

    The figure itself is not touched here: a failure leaves the last good one (rule 8).
    """
    listing.asked_at = now
    if response.error is not None:
        _fail(listing, response.error, now)
        return
    listing.failures = 0
    listing.next_poll_at = now + _jittered(timedelta(seconds=listing.period_seconds))
    listing.etag = (response.etag or "")[:512] or None
    listing.last_modified = (response.last_modified or "")[:64] or None


def _fail(listing: Listing, error: PlatformError, now: datetime) -> None:
    listing.failures += 1
    listing.etag = listing.last_modified = None
    db.session.add(
        PollFailure(
            listing_id=listing.id,
            at=now,
            condition=type(error).__name__,
            reason=str(error)[:500],
        )
    )
    if isinstance(error, Refused | Gone):
        # A refusal is taken as an answer (design §11): people enter the figures from now on.
        listing.asking = Asking.REFUSED
        return
    wait = timedelta(seconds=listing.period_seconds) * 2 ** min(listing.failures, 20)
    asked_for = error.retry_after if isinstance(error, Busy) else None
    wait = max(min(wait, LONGEST_WAIT), asked_for or timedelta())
    listing.next_poll_at = now + _jittered(wait)


def _jittered(wait: timedelta) -> timedelta:
    return wait * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
