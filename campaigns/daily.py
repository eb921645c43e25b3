"""Daily: what listings said and what was booked, by the organisation's days.

However long ago it began, it takes as many statements, and reads one report and one total a day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, true
from sqlalchemy.orm import aliased

from campaigns import figures, spans
from campaigns.db import db
from campaigns.model.entry import COUNTED, Entry
from campaigns.model.listing import Listing, Rule
from campaigns.model.report import Origin, Report, ReportState
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.spans import Span

# What a public figure counts of one listing, by day, in order, and currency.
Booked = Mapping[date, list[Money]]
Rests = Mapping[int, list[Money]]


class Said(NamedTuple):
    """A report that a figure goes on from: whose it is, its day, and its whole figure.

    `as_of` is the moment of the last report, which may lag (campaigns/lags.py).
    """

    id: int
    listing_id: int
    moment: datetime
    as_of: datetime
    day: date
    whole: Money
    by_hand: bool


def booked(listings: Sequence[Listing]) -> dict[int, Booked]:
    """By listing, what was booked; an entry stands on its own day, whenever it came."""
    by = Total.listing_id, Total.day, Total.currency
    rows = db.session.execute(
        select(*by, func.sum(Total.amount_minor))
        .where(Total.listing_id.in_([one.id for one in listings]), Total.kind.in_(COUNTED))
        .group_by(*by)
        .order_by(Total.day)
    )
    found: dict[int, dict[date, list[Money]]] = {one.id: {} for one in listings}
    for listing_id, day, currency, amount in rows:
        found[listing_id].setdefault(day, []).append(Money(int(amount), currency))
    return {**found}


def first_said(listings: Sequence[Listing], zone: ZoneInfo) -> date | None:
    """The day of the first report that counts."""
    oldest = (
        select(Report.moment)
        .where(Report.listing_id == Listing.id, Report.state == ReportState.ACCEPTED)
        .order_by(Report.moment)
        .limit(1)
        .correlate(Listing)
        .scalar_subquery()
    )
    moments = db.session.scalars(select(oldest).where(Listing.id.in_(_reporting(listings))))
    return min((at.astimezone(zone).date() for at in moments if at is not None), default=None)


def said(
    listings: Sequence[Listing], days: Sequence[Span], zone: ZoneInfo
) -> dict[tuple[int, date], Said]:
    """By listing and day, the report that its figure went on from at the day's end, however old.

    By a look into the index for each, so that it does not matter how many reports there are.
    """
    span, one = spans.table(days), aliased(Report)
    newest = (
        select(one)
        .where(one.listing_id == Listing.id, one.state == ReportState.ACCEPTED)
        .where(one.moment < span.c.ends)
        .order_by(one.moment.desc(), one.id.desc())
        .limit(1)
        .correlate(Listing, span)
    )
    base = newest.where(one.lags.is_(False)).with_only_columns(one.id).scalar_subquery()
    as_of = newest.with_only_columns(one.moment).scalar_subquery()
    whole = Report.raised_minor + func.coalesce(Report.matched_minor, 0)
    rows = db.session.execute(
        select(span.c.number, Report.id, Report.listing_id, Report.moment, whole)
        .add_columns(Report.currency, Report.origin, as_of)
        .join_from(span, Listing, true())
        .join(Report, Report.id == base)
        .where(Listing.id.in_(_reporting(listings)))
    )
    found = {}
    for number, id, listing_id, at, minor, currency, origin, last in rows:
        day, figure = at.astimezone(zone).date(), Money(int(minor), currency)
        found[listing_id, date.fromordinal(number)] = Said(
            id, listing_id, at, last, day, figure, origin is Origin.BY_HAND
        )
    return found


def goes_on(said: Said, day: date) -> bool:
    """Whether the figure of a day is what was said and what was booked after it."""
    return said.day < day or said.moment < said.as_of


def rests(
    said: Mapping[tuple[int, date], Said], booked: Mapping[int, Booked], zone: ZoneInfo
) -> Rests:
    """By report, what was booked on its day after its moment, where a day went on from it.

    That is where others lagged, or the next day has none. This reads entries: of the rest of such
    a day, if a total says that there are any.
    """
    found: defaultdict[int, list[Money]] = defaultdict(list)
    left = {
        one.id: Span(one.id, one.moment, spans.day(one.day, zone).ends)
        for (listing_id, day), one in said.items()
        if goes_on(one, day) and one.day in booked[listing_id]
    }
    if not left:
        return found
    span = spans.table(list(left.values()))
    rows = db.session.execute(
        select(Report.id, Entry.currency, func.sum(Entry.amount_minor))
        .select_from(span)
        .join(Report, Report.id == span.c.number)
        .join(Entry, Entry.listing_id == Report.listing_id)
        .where(Entry.occurred_at > span.c.begins, Entry.occurred_at < span.c.ends)
        .where(figures.counts())
        .group_by(Report.id, Entry.currency)
    )
    for id, currency, amount in rows:
        found[id].append(Money(int(amount), currency))
    return found


def _reporting(listings: Sequence[Listing]) -> list[int]:
    return [one.id for one in listings if one.rule is Rule.REPORTED]
