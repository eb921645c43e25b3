"""Silences: listings whose reports grow while no entries come, as where webhooks are missed.

The rule: no entry is newer than a report that says more, by more than the tolerance, than the one
that was to show all that is booked; and that report has stood for a while. It has to stand for two
of the listing's periods where an endpoint should tell of each gift, and for the days that its gaps
may wait where files do. So a gift whose notice is on its way makes no silence, nor does a platform
whose page shows late what was booked.

Nobody promised entries of a listing that is only reported: it is never silent.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from campaigns.db import Moment, among, db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import COUNTED, Door, Entry, MatchStage
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice
from campaigns.model.report import Report, ReportState
from campaigns.money import Money

PERIODS, SHORTEST = 2, timedelta(minutes=10)
# So many of the first reports after an entry may not show it yet.
BEHIND = 1


@dataclass(frozen=True)
class Silence:
    """`since` is when the newest entry occurred, or its endpoint was made if that was later.

    `grown` is by how much at least the reports grew since. `endpoint_id` is the endpoint that
    should have told of it; None where a file should.
    """

    listing_id: int
    endpoint_id: int | None
    since: datetime
    grown: Money

    @property
    def by_file(self) -> bool:
        return self.endpoint_id is None


def of(listings: Collection[Listing], now: datetime) -> dict[int, Silence]:
    """The silent among these listings by their ids, found by one statement.

    Left out are those of which staff said that their gaps need no explanation.
    """
    compared = [one for one in listings if one.tolerance_minor is not None]
    if not compared:
        return {}
    rows = db.session.execute(_silent(_reports(_heard(_newest(compared), compared, now))))
    return {
        id: Silence(id, endpoint_id, since, Money(int(minor), currency))
        for id, endpoint_id, since, minor, currency in rows
    }


def _newest(listings: Collection[Listing]) -> Subquery:
    """Of each listing the newest entry, the newest that no hand booked, and its own endpoint."""
    newest = (
        select(Entry.id)
        .where(Entry.listing_id == Listing.id, _counts())
        .order_by(Entry.occurred_at.desc(), Entry.id.desc())
        .limit(1)
        .correlate(Listing)
    )
    own = (
        select(WebhookEndpoint.id)
        .where(WebhookEndpoint.listing_id == Listing.id, WebhookEndpoint.active)
        .order_by(WebhookEndpoint.id)
        .limit(1)
        .correlate(Listing)
    )
    return (
        select(
            Listing.id,
            newest.scalar_subquery().label("newest_id"),
            newest.where(Entry.door != Door.HAND).scalar_subquery().label("told_id"),
            own.scalar_subquery().label("own_id"),
        )
        .where(among(Listing.id, [one.id for one in listings]))
        .subquery("newest")
    )


def _heard(newest: Subquery, listings: Collection[Listing], now: datetime) -> Subquery:
    """By which door its entries should come, up to when they did, and how old a report counts."""
    entry, told = aliased(Entry), aliased(Entry)
    own, notice = aliased(WebhookEndpoint), aliased(Notice)
    by_file = and_(own.id.is_(None), told.door == Door.FILE)
    stood = case((by_file, _days(listings, now)), else_=_periods(listings, now))
    made_later = own.created_at > entry.occurred_at
    return (
        select(
            Listing.id,
            func.coalesce(own.id, notice.endpoint_id).label("endpoint_id"),
            case(
                (made_later, own.created_at), else_=func.coalesce(entry.occurred_at, own.created_at)
            ).label("since"),
            stood.label("stood"),
        )
        .join(newest, newest.c.id == Listing.id)
        .outerjoin(entry, entry.id == newest.c.newest_id)
        .outerjoin(told, told.id == newest.c.told_id)
        .outerjoin(notice, notice.id == told.notice_id)
        .outerjoin(own, own.id == newest.c.own_id)
        .where(or_(own.id.is_not(None), told.id.is_not(None)))
        # Entries that come late come nevertheless.
        .where(or_(entry.id.is_(None), entry.booked_at <= stood))
        .subquery("heard")
    )


def _reports(heard: Subquery) -> Subquery:
    """With the report that has stood long enough, and the one that its growth is counted from."""
    accepted = (
        select(Report.id)
        .where(Report.listing_id == heard.c.id, Report.state == ReportState.ACCEPTED)
        .correlate(heard)
        .limit(1)
    )
    caught_up = accepted.where(Report.moment > heard.c.since).order_by(Report.moment, Report.id)
    stood = accepted.where(Report.moment <= heard.c.stood)
    return select(
        heard,
        caught_up.offset(BEHIND).scalar_subquery().label("base_id"),
        stood.order_by(Report.moment.desc(), Report.id.desc()).scalar_subquery().label("stood_id"),
    ).subquery("reported")


def _silent(reported: Subquery) -> Select[int, int | None, datetime, int, str]:
    base, stood = aliased(Report), aliased(Report)
    grown = stood.raised_minor - base.raised_minor
    return (
        select(Listing.id, reported.c.endpoint_id, reported.c.since, grown, Listing.currency)
        .join(reported, reported.c.id == Listing.id)
        .join(base, base.id == reported.c.base_id)
        .join(stood, stood.id == reported.c.stood_id)
        .where(stood.moment > base.moment, grown > Listing.tolerance_minor)
    )


def _counts() -> ColumnElement[bool]:
    announced = Entry.stage == MatchStage.ANNOUNCED
    return and_(stands(), Entry.kind.in_(COUNTED), or_(Entry.stage.is_(None), ~announced))


def _periods(listings: Collection[Listing], now: datetime) -> ColumnElement[datetime]:
    waits = {one.period_seconds: max(PERIODS * one.period, SHORTEST) for one in listings}
    return _before(Listing.period_seconds, waits, now)


def _days(listings: Collection[Listing], now: datetime) -> ColumnElement[datetime]:
    waits = {one.tolerance_days: timedelta(days=one.tolerance_days) for one in listings}
    return _before(Listing.tolerance_days, waits, now)


def _before(
    column: InstrumentedAttribute[int], waits: Mapping[int, timedelta], now: datetime
) -> ColumnElement[datetime]:
    """So long before `now` as the column says; SQLite cannot reckon with moments."""
    return case({key: literal(now - wait, Moment) for key, wait in waits.items()}, value=column)
