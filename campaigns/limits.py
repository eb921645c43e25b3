"""Limits: how many questions each host may be asked, how it fares, and what staff change of it."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from campaigns import audit
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.host import Host, Turn
from campaigns.model.listing import Asking, Listing, PollFailure
from campaigns.model.staff import Staff
from campaigns.platforms.base import Busy, Unreachable

MOST_AT_ONCE, MOST_A_MINUTE = 64, 6000
# What counts against a host (`questions.Response.outcome`).
_AILMENTS = (Busy.__name__, Unreachable.__name__)


class Refused(Exception):
    """Limits that cannot be. Its text is a sentence for the person who tried."""


class BadAtOnce(Refused):
    """Nobody would ask, or more would than a worker has threads."""


class BadAMinute(Refused):
    """Nobody would ask, or more often than any platform bears."""


@dataclass(frozen=True)
class Seen:
    """A host just now: how many of its listings are asked, and how many questions are under way.

    `trouble` is the last failure of those that count against a host, while it has failed since.
    """

    host: Host
    listings: int
    under_way: int
    resting: bool
    trouble: PollFailure | None


def seen(now: datetime) -> list[Seen]:
    """Every host that a listing is asked at, by name; a closed campaign's listings are not."""
    asked = _counts(
        select(Listing.host, func.count())
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(Listing.asking == Asking.ASKED, Campaign.state != CampaignState.CLOSED)
    )
    under_way = select(Turn.host, func.count()).where(Turn.until > now, ~Turn.ahead)
    going = _counts(under_way)
    found = []
    hosts = select(Host).where(Host.name.in_(asked)).order_by(Host.name)
    for host in db.session.scalars(hosts).all():
        resting = host.rests_until is not None and host.rests_until > now
        trouble = _trouble(host) if resting or host.failures else None
        found.append(Seen(host, asked.get(host.name, 0), going.get(host.name, 0), resting, trouble))
    return found


def change(host: Host, at_once: int, a_minute: int, now: datetime, by: Staff) -> None:
    """Let a host be asked so many questions at once and in a minute, from the next one on.

    Raises what `Refused` stands for. The second time does nothing.
    """
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise BadAtOnce(_("Between 1 and 64."))
    if not 1 <= a_minute <= MOST_A_MINUTE:
        raise BadAMinute(_("Between 1 and 6,000."))
    before = (host.at_once, host.a_minute)
    if before == (at_once, a_minute):
        return
    host.at_once, host.a_minute = at_once, a_minute
    changes = {
        "host": (host.name, host.name),
        "at_once": (before[0], at_once),
        "a_minute": (before[1], a_minute),
    }
    audit.record("change host", host, now, by=by, changes=changes)


def _counts(counted: Select[str, int]) -> dict[str, int]:
    rows = db.session.execute(counted.group_by(*counted.selected_columns[:1]))
    return {row[0]: row[1] for row in rows}


def _trouble(host: Host) -> PollFailure | None:
    return db.session.scalar(
        select(PollFailure)
        .join(Listing, Listing.id == PollFailure.listing_id)
        .where(Listing.host == host.name, PollFailure.condition.in_(_AILMENTS))
        .order_by(PollFailure.at.desc(), PollFailure.id.desc())
        .limit(1)
    )
