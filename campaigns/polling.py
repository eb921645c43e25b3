"""Polling: taking the listings that are due, and noting that and how they were asked."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update

from campaigns import almanac, bulk, hosts
from campaigns.almanac import Almanac
from campaigns.cadence import Cadence
from campaigns.db import among, db
from campaigns.hosts import LEASE, LONGEST_PATIENCE, SKEW
from campaigns.model.campaign import ASKED_ABOUT, Campaign
from campaigns.model.listing import Asking, Listing, PollFailure
from campaigns.platforms.base import Answer, Busy, Gone, PlatformError, Refused
from campaigns.questions import Question, Response

# A failing listing is asked again after its period times 2, 4, 8 … but at least this often.
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.1
# Within a day a listing's working hours come again.
A_DAY = timedelta(days=1)
_ANSWERED = """
UPDATE listings SET asked_at = given.asked_at, failures = 0, etag = given.etag,
    last_modified = given.last_modified, next_poll_at = given.next_poll_at
FROM {given}
WHERE listings.id = given.one
"""
_ANSWERS = {
    "one": "bigint",
    "asked_at": "timestamptz",
    "etag": "text",
    "last_modified": "text",
    "next_poll_at": "timestamptz",
}


def take_due(
    now: datetime, limit: int = 64, *, but: Collection[int] = (), by: Almanac | None = None,
    spare: Mapping[str, int] | None = None,
) -> list[Question]:  # fmt: skip
    """Lease the listings that have waited longest, as many as their hosts have room for.

    Each is another worker's for `LEASE`; the second call at the same moment finds nothing that the
    first one took. `but` are listings whose answers the caller still waits for, whatever the
    clock says. `spare` has how many questions the caller has under way at a host with none ahead to
    follow them: for each of these, and of those taken now, one is taken ahead. Without it, none.
    """
    by = by or almanac.read(now)
    while True:
        leased, places = _lease(now, limit, but, by, spare)
        due = [listing for listing, its in leased if not _put_off(listing, its, now)]
        if due or not leased:
            break
    ahead = _without_place(due, places)
    turn = hosts.begin([listing.id for listing in due], now, ahead)
    return [_question(one, turn[one.id], ahead=one.id in ahead) for one in due]


def release(questions: Collection[Question], now: datetime) -> None:
    """Give back what was taken and not asked: due again at once."""
    ids = [question.listing_id for question in questions]
    hosts.give_back(question.turn_id for question in questions)
    db.session.execute(update(Listing).where(Listing.id.in_(ids)).values(next_poll_at=now))


def asked(responses: Collection[Response]) -> list[tuple[Listing, Response]]:
    """Each response with its listing; one whose listing was deleted meanwhile is left out."""
    ids = [response.question.listing_id for response in responses]
    found = {
        row.id: row for row in db.session.scalars(select(Listing).where(among(Listing.id, ids)))
    }
    return [
        (found[id], response) for id, response in zip(ids, responses, strict=True) if id in found
    ]


def settle(
    asked: Sequence[tuple[Listing, Response]], now: datetime, by: Almanac | None = None
) -> Mapping[int, PollFailure]:
    """Note that the listings were asked, and when to ask again; failures are kept with reasons.

    Returns the failures, by listing.

    The figure itself is not touched here: a failure leaves the last good one (rule 8).
    """
    cadences = almanac.cadences([listing for listing, _ in asked], by or almanac.read(now))
    answered, failures = [], {}
    for listing, response in asked:
        its = cadences[listing.id]
        if response.error is None:
            answered.append(_answered(its, response.answer, now))
        else:
            failures[listing.id] = _fail(listing, response.error, its, now)
    db.session.flush()
    if answered:
        bulk.execute(_ANSWERED, _ANSWERS, answered)
    return failures


def mend(now: datetime) -> None:
    """Make due again what a clock that was set back has put too far off (fault row 9).

    A listing can neither have been asked in the future nor be left alone for longer than its
    cadence allows, and one that was never asked is at most leased. Repeated, it finds nothing.
    """
    leased = hosts.sweep(now)
    hosts.wake(_change(Listing.id.in_(leased), next_poll_at=now + LEASE))
    early = func.coalesce(Listing.asked_at, Listing.next_poll_at) > now + SKEW
    off = or_(early, Listing.id.in_(_too_far(now)))
    hosts.wake(_change(off, Listing.id.not_in(leased), next_poll_at=now))
    _change(Listing.asked_at > now + SKEW, asked_at=now)


def make_due(now: datetime) -> None:
    """Have every listing asked whose time has not come. Those being asked just now are not."""
    going = hosts.under_way(now)
    _change(Listing.next_poll_at > now, Listing.id.not_in(going), next_poll_at=now)


def _lease(
    now: datetime, limit: int, but: Collection[int], by: Almanac, spare: Mapping[str, int] | None
) -> tuple[list[tuple[Listing, Cadence]], Counter[str]]:
    """The longest due first, of each host that does not rest; and how many have a place there."""
    due = _due(now, but)
    awake = hosts.hold(db.session.scalars(select(Listing.host).where(*due).distinct()).all(), now)
    if not awake:
        return [], Counter()
    fitting = _fitting((*due, Listing.host.in_(awake)), now, limit, spare)
    order, places = hosts.share(db.session.execute(fitting).all(), limit, spare or {})
    leased = db.session.scalars(
        update(Listing)
        .where(among(Listing.id, order), Listing.next_poll_at <= now)
        .values(next_poll_at=now + LEASE)
        .returning(Listing)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    cadences = almanac.cadences(leased, by)
    leased = sorted(leased, key=lambda listing: order.index(listing.id))
    return [(listing, cadences[listing.id]) for listing in leased], places


def _fitting(
    due: Sequence[ColumnElement[bool]], now: datetime, limit: int, spare: Mapping[str, int] | None
) -> Select[int, str, bool]:
    """Listings that their hosts have room for, or could have; those with a place come first."""
    # Counted once, however few listings the planner thinks are due: it knows the last minute's.
    room = hosts.rooms(now).cte("room").prefix_with("MATERIALIZED")
    oldest = func.row_number().over(
        partition_by=Listing.host, order_by=(Listing.next_poll_at, Listing.id)
    )
    ranked = select(Listing.id, Listing.host, Listing.next_poll_at, oldest.label("place"))
    found = ranked.where(*due).subquery()
    most = room.c.at_once if spare is None else room.c.at_once + room.c.ahead
    has_place = (found.c.place <= room.c.at_once).label("has_place")
    return (
        select(found.c.id, found.c.host, has_place)
        .join(room, room.c.name == found.c.host)
        .where(found.c.place <= most, found.c.place <= room.c.a_minute)
        .order_by(has_place.desc(), found.c.next_poll_at, found.c.id)
        .limit(limit if spare is None else 2 * limit + sum(spare.values()))
    )


def _without_place(due: Sequence[Listing], places: Counter[str]) -> set[int]:
    """The listings taken ahead: of each host those after as many as have a place there."""
    ahead = set()
    for listing in due:
        if places[listing.host] < 1:
            ahead.add(listing.id)
        places[listing.host] -= 1
    return ahead


def _due(now: datetime, but: Collection[int]) -> Sequence[ColumnElement[bool]]:
    """Which listings are to be asked: none that is being asked, though somebody made it due."""
    about = select(Campaign.id).where(Campaign.state.in_(ASKED_ABOUT))
    return (
        Listing.asking == Asking.ASKED,
        Listing.next_poll_at <= now,
        Listing.campaign_id.in_(about),
        Listing.id.not_in(hosts.under_way(now)),
        ~among(Listing.id, but),
    )


def _put_off(listing: Listing, its: Cadence, now: datetime) -> bool:
    """Whether the listing is not to be asked at this hour, though its time came; it waits then.

    That happens where nobody could ask in time, or where its contract changed since.
    """
    opens = its.opening(now)
    if its.period(now) is not None and opens == now:
        return False
    listing.next_poll_at = None if its.period(opens) is None else opens
    return True


def _question(listing: Listing, turn_id: int, *, ahead: bool) -> Question:
    return Question(
        listing.id,
        turn_id,
        listing.host,
        listing.platform,
        listing.external_id,
        listing.url,
        listing.way,
        listing.how,
        listing.etag,
        listing.last_modified,
        ahead,
    )


def _answered(its: Cadence, answer: Answer | None, now: datetime) -> dict[str, Any]:
    """What to write to a listing that was answered; its failures are over."""
    headers = answer.headers if answer else {}
    return {
        "one": its.listing.id,
        "asked_at": now,
        "etag": headers.get("etag", "")[:512] or None,
        "last_modified": headers.get("last-modified", "")[:64] or None,
        "next_poll_at": _next(its, timedelta(), _spread(its, now), now),
    }


def _fail(listing: Listing, error: PlatformError, its: Cadence, now: datetime) -> PollFailure:
    listing.asked_at = now
    listing.failures += 1
    listing.etag = listing.last_modified = None
    failure = PollFailure(
        listing_id=listing.id, at=now, condition=type(error).__name__, reason=str(error)[:500]
    )
    db.session.add(failure)
    if isinstance(error, Refused | Gone) and listing.asking is Asking.ASKED:
        # A refusal is taken as an answer (design §11): people enter the figures from now on.
        listing.asking = Asking.REFUSED
        return failure
    wait = (its.period(now) or timedelta()) * 2 ** min(listing.failures, 20)
    patience = error.retry_after if isinstance(error, Busy) else None
    wait = max(min(wait, LONGEST_WAIT), patience or timedelta())
    listing.next_poll_at = _next(its, wait, wait * JITTER, now)
    return failure


def _next(its: Cadence, wait: timedelta, spread: timedelta, now: datetime) -> datetime | None:
    """When it is asked again, `wait` from now at the earliest and up to `spread` later.

    Never spread past the hour at which it closes: it would be left alone until the next day.
    """
    asked = its.next(now)
    if asked is None:
        return None
    due = its.opening(max(asked, now + wait))
    later = due + spread * random.random()  # noqa: S311 - spreads load, guards nothing
    due = later if its.opening(later) == later else due
    return None if its.stops_at is not None and due >= its.stops_at else due


def _spread(its: Cadence, now: datetime) -> timedelta:
    """So little that no figure is late by it."""
    grace = timedelta(seconds=its.listing.grace_seconds)
    return min((its.period(now) or timedelta()) * JITTER, grace / 2)


def _too_far(now: datetime) -> list[int]:
    """Listings whose turn comes later than their period, a failure and a night could make it."""
    rows = select(
        Listing.id,
        Listing.next_poll_at,
        Listing.period_seconds,
        Listing.failures,
        Listing.opens_at.is_not(None),
    ).where(Listing.next_poll_at > now + LONGEST_WAIT, Listing.asking == Asking.ASKED)
    return [
        id
        for id, at, seconds, failures, has_hours in db.session.execute(rows)
        if at and at > now + _furthest(timedelta(seconds=seconds), failures, has_hours)
    ]


def _furthest(period: timedelta, failures: int, has_hours: bool) -> timedelta:
    """How long a listing may be left alone; after the end nobody asks more often than that."""
    wait = max(period, LONGEST_PATIENCE if failures else LONGEST_WAIT)
    return wait * (1 + JITTER) + (A_DAY if has_hours else timedelta()) + SKEW


def _change(*which: ColumnElement[bool], **values: datetime) -> Sequence[str]:
    """Change listings that are asked; returns whose hosts they are of."""
    return db.session.scalars(
        update(Listing)
        .where(Listing.asking == Asking.ASKED, *which)
        .values(**values)
        .returning(Listing.host)
        .execution_options(synchronize_session=False)
    ).all()
