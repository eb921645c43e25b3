"""Rounds: the listings whose figures staff have to read themselves, and which of them are due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, or_, select

from campaigns import cadence, figures, freshness
from campaigns.cadence import Cadence
from campaigns.db import db
from campaigns.freshness import BROKEN_AFTER
from campaigns.model.campaign import ASKED_ABOUT, Campaign
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.report import Report, ReportState

ENTERED = (Asking.BY_HAND, Asking.REFUSED)


@dataclass(frozen=True)
class Stop:
    """A listing on the round: `last` is its last accepted report, `held` one after it that waits.

    `due_at` is when the next figure is expected; None where no more is, or none is missed.
    """

    listing: Listing
    campaign: Campaign
    last: Report | None
    held: Report | None
    due_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at <= now

    @property
    def is_entered(self) -> bool:
        """Whether staff are the only ones to give its figure."""
        return self.listing.asking in ENTERED


def of(now: datetime) -> list[Stop]:
    """Every listing that is entered by hand, refused or broken, of campaigns that raise or did.

    By campaign: first the one with the figure that is due longest, in each likewise.
    """
    failing = and_(Listing.asking == Asking.ASKED, Listing.failures >= BROKEN_AFTER)
    stops = _stops(or_(Listing.asking.in_(ENTERED), failing), now)
    first: dict[int, tuple[bool, datetime]] = {}
    for stop in stops:
        campaign_id = stop.campaign.id
        first[campaign_id] = min(first.get(campaign_id, _turn(stop, now)), _turn(stop, now))
    return sorted(
        stops,
        key=lambda stop: (
            first[stop.campaign.id],
            stop.campaign.id,
            _turn(stop, now),
            stop.listing.position,
            stop.listing.id,
        ),
    )


def due(now: datetime) -> list[Stop]:
    """Those that staff enter and whose figure should be there by now."""
    return [stop for stop in of(now) if stop.is_entered and stop.is_due(now)]


def named(listing_ids: Collection[int], now: datetime) -> list[Stop]:
    """These listings as stops, however they are asked; those that are given directly are none."""
    return _stops(Listing.id.in_(listing_ids), now, over=True)


def _stops(which: ColumnElement[bool], now: datetime, *, over: bool = False) -> list[Stop]:
    query = select(Listing, Campaign).join(Campaign, Campaign.id == Listing.campaign_id)
    # What is given directly has no page that a figure could be read on.
    query = query.where(which, Listing.url != "")
    if not over:
        query = query.where(Campaign.state.in_(ASKED_ABOUT))
    rows = db.session.execute(query.order_by(Listing.id)).all()
    ids = [listing.id for listing, _ in rows]
    accepted = figures.latest(ids, ReportState.ACCEPTED)
    waiting = figures.latest(ids, ReportState.QUARANTINED)
    festivals, zone = cadence.coming(now), figures.zone()
    stops = []
    for listing, campaign in rows:
        when = cadence.of(listing, campaign, festivals, zone)
        if over or not freshness.is_over(when, campaign.state, now):
            stops.append(_stop(when, campaign, accepted, waiting))
    return stops


def _stop(
    when: Cadence,
    campaign: Campaign,
    accepted: Mapping[int, Report],
    waiting: Mapping[int, Report],
) -> Stop:
    listing = when.listing
    last, held = accepted.get(listing.id), waiting.get(listing.id)
    if last is not None and held is not None and held.moment < last.moment:
        held = None
    told = [report.moment for report in (last, held) if report is not None]
    return Stop(listing, campaign, last, held, _due_at(when, told))


def _due_at(when: Cadence, told: Sequence[datetime]) -> datetime | None:
    """A figure that waits for a verdict was entered all the same.

    Where nobody asks any more the last question counts as a figure: whoever changed that, or was
    told of the refusal, has a day. A figure by entries is not missed.
    """
    listing = when.listing
    if listing.asking is Asking.ASKED:
        return when.late_from(max(told, default=listing.created_at))
    if listing.rule is Rule.ITEMISED:
        return None
    asked = [listing.asked_at] if listing.asked_at is not None else []
    return when.entered_next(max([*told, *asked], default=listing.created_at))


def _turn(stop: Stop, now: datetime) -> tuple[bool, datetime]:
    """What is due comes first, the oldest before others; what is never missed comes last."""
    if stop.due_at is None:
        return True, datetime.max.replace(tzinfo=UTC)
    return not stop.is_due(now), stop.due_at
