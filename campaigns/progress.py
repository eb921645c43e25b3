"""Progress: the figure that people see, and the moments it was true at (design §6)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select, true

from campaigns import cadence, conversion, figures, freshness, reconciliation
from campaigns.conversion import Rates
from campaigns.db import db
from campaigns.figures import Figures
from campaigns.freshness import Freshness
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.festival import Festival
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.notice import Notice, Verdict
from campaigns.model.report import Report, ReportState
from campaigns.money import Money
from campaigns.platforms import offline

# So long an endpoint is believed to be well that says nothing, while nobody could know better.
VOUCHED = timedelta(days=7)


@dataclass(frozen=True)
class Figure:
    """What one listing has raised, true at `as_of`.

    `raised` is in the listing's currency, what came in others left out. `converted` is what it
    adds to the campaign's raised, in the campaign's currency, and `matched` how much of that was
    matched. `held` is a newer report that waits for a verdict: "figures being checked". `every`
    is how often the platform is asked just now, None where it is not.
    """

    listing: Listing
    raised: Money | None
    matched: Money
    donations: int
    rule: Rule
    as_of: datetime | None
    freshness: Freshness
    held: Report | None
    converted: Money | None
    every: timedelta | None


@dataclass(frozen=True)
class Progress:
    """What a campaign has raised: the sum of its listings' `converted`.

    `apart` is what no rate converts to the campaign's currency, one amount per currency. `as_of`
    goes from the oldest to the newest moment over the listings still asked (design §5 rule 7),
    over all of them once none is.
    """

    campaign: Campaign
    raised: Money
    matched: Money
    apart: tuple[Money, ...]
    as_of: tuple[datetime, datetime] | None
    donations: int
    listings: tuple[Figure, ...]

    @property
    def target(self) -> Money | None:
        return self.campaign.target

    @property
    def percent(self) -> int | None:
        """Raised of the target, rounded down: only all of it reads as 100. None without one."""
        if self.target is None:
            return None
        return max(self.raised.minor, 0) * 100 // self.target.minor


def of(campaign: Campaign, now: datetime) -> Progress:
    """One campaign's progress."""
    return many([campaign], now)[0]


def many(campaigns: Sequence[Campaign], now: datetime) -> list[Progress]:
    """Several campaigns' progress in their order, by as many statements as that of one."""
    listings = _listings(campaigns)
    found = figures.of(listings)
    rates = _rates(found.values(), {campaign.currency for campaign in campaigns})
    given = _Given(rates, cadence.coming(now), figures.zone(), now)
    entries = _complete_until([one for one in listings if found[one.id].report is None], now)
    parts = defaultdict(list)
    of_id = {campaign.id: campaign for campaign in campaigns}
    for listing in listings:
        campaign, figure = of_id[listing.campaign_id], found[listing.id]
        as_of = figure.as_of or entries.get(listing.id)
        parts[campaign.id].append(_part(campaign, listing, figure, as_of, given))
    return [_progress(campaign, parts[campaign.id]) for campaign in campaigns]


@dataclass(frozen=True)
class _Given:
    """What every listing's figure is seen by."""

    rates: Rates
    festivals: Sequence[Festival]
    zone: ZoneInfo
    now: datetime


@dataclass(frozen=True)
class _Part:
    """A listing's figure, and what of it no rate converts."""

    figure: Figure
    apart: tuple[Money, ...]


def _listings(campaigns: Sequence[Campaign]) -> Sequence[Listing]:
    ids = [campaign.id for campaign in campaigns]
    return db.session.scalars(
        select(Listing)
        .where(Listing.campaign_id.in_(ids))
        .order_by(Listing.campaign_id, Listing.position, Listing.id)
    ).all()


def _progress(campaign: Campaign, parts: Sequence[_Part]) -> Progress:
    shown = tuple(part.figure for part in parts)
    currency = campaign.currency
    apart: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        for amount in part.apart:
            apart[amount.currency] += amount.minor
    return Progress(
        campaign=campaign,
        raised=Money.sum((figure.converted for figure in shown if figure.converted), currency),
        matched=Money.sum((figure.matched for figure in shown), currency),
        apart=tuple(Money(minor, name) for name, minor in sorted(apart.items()) if minor),
        as_of=_span(shown),
        donations=sum(figure.donations for figure in shown),
        listings=shown,
    )


def _span(shown: Sequence[Figure]) -> tuple[datetime, datetime] | None:
    dated = [(figure.freshness, figure.as_of) for figure in shown if figure.as_of is not None]
    asked = [as_of for freshness, as_of in dated if freshness is not Freshness.FINAL]
    moments = asked or [as_of for _, as_of in dated]
    return (min(moments), max(moments)) if moments else None


def _part(
    campaign: Campaign,
    listing: Listing,
    found: Figures,
    as_of: datetime | None,
    given: _Given,
) -> _Part:
    converted, apart = given.rates.sum(found.dated(), campaign.currency)
    matched, _ = given.rates.sum(found.matched(), campaign.currency)
    when, now = cadence.of(listing, campaign, given.festivals, given.zone), given.now
    by_entries = found.report is None
    figure = Figure(
        listing=listing,
        raised=found.raised(listing.currency) if found.known else None,
        # A report that was made before a match was booked may be less than the match.
        matched=min(matched, converted),
        donations=_donations(found),
        rule=listing.rule,
        as_of=as_of,
        freshness=freshness.of(when, campaign.state, as_of, by_entries=by_entries, now=now),
        held=found.held,
        converted=converted if found.known else None,
        every=when.period(now) if listing.asking is Asking.ASKED else None,
    )
    return _Part(figure, apart)


def _donations(found: Figures) -> int:
    """Gifts by the report and after it; those of the ledger where the report does not count."""
    if found.report is None or found.report.donations is None:
        return sum(part.donations for part in found.ever)
    return found.report.donations + sum(part.donations for part in found.parts)


def _rates(found: Iterable[Figures], quotes: set[str]) -> Rates:
    return conversion.rates(
        (
            (amount, day)
            for one in found
            for amount, day in (*one.dated(), *((part.amount, part.day) for part in one.ever))
        ),
        quotes,
    )


def _complete_until(listings: Sequence[Listing], now: datetime) -> dict[int, datetime]:
    """The moment up to which all entries of a listing are there; without any there is no moment.

    That is now, while a webhook endpoint that serves it vouches for it, and when the first of the
    notices came that wait to be booked, if any does. An endpoint vouches while it is active, was
    heard, has refused no post since, and no notices are missed (`silences`). As nothing tells an
    endpoint that is idle from one that is dead, that holds for `VOUCHED` after it was heard, or
    after a report that would have shown a silence. Else it vouched until it was heard. Without an
    endpoint, or with notices missed, it is the moment of the newest entry (docs/decisions/0043).
    """
    if not listings:
        return {}
    serves = or_(
        WebhookEndpoint.listing_id == Listing.id,
        and_(WebhookEndpoint.campaign_id == Listing.campaign_id, Listing.platform != offline.NAME),
    )
    newest = select(func.max(Entry.occurred_at)).where(Entry.listing_id == Listing.id)
    reported = select(func.max(Report.moment)).where(
        Report.listing_id == Listing.id, Report.state == ReportState.ACCEPTED
    )
    heard = select(func.max(WebhookEndpoint.heard_at)).where(serves, WebhookEndpoint.active)
    refused = WebhookEndpoint.refused_at.between(WebhookEndpoint.heard_at, now)
    took = func.coalesce(~refused, true())
    waiting = (
        select(func.min(Notice.received_at))
        .join(WebhookEndpoint, WebhookEndpoint.id == Notice.endpoint_id)
        .where(serves, Notice.verdict == Verdict.WAITING)
    )
    asked = (newest, heard, heard.where(took), reported, waiting)
    rows = db.session.execute(
        select(Listing.id, *(one.correlate(Listing).scalar_subquery() for one in asked)).where(
            Listing.id.in_([listing.id for listing in listings])
        )
    )
    told = {id: _Told(*moments) for id, *moments in rows if moments[0] is not None}
    silent = reconciliation.silent([one for one in listings if one.id in told], now)
    return {id: one.newest if id in silent else one.until(now) for id, one in told.items()}


@dataclass(frozen=True)
class _Told:
    """When entries of a listing occurred last, an endpoint was heard last, and one that took every
    post since; of when its last report is, and the first notice that waits."""

    newest: datetime
    heard: datetime | None
    took: datetime | None
    reported: datetime | None
    waiting: datetime | None

    def until(self, now: datetime) -> datetime:
        if self.heard is None:
            return self.newest
        proof = max(self.took, self.reported or self.took) if self.took else None
        until = now if proof and now - proof <= VOUCHED else max(self.heard, self.newest)
        return min(until, self.waiting or now, now)
