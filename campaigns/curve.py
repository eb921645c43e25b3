"""The curve: what each of a campaign's listings had raised, day by day.

It ends with exactly the figures that `progress` shows.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from campaigns import conversion, daily, figures, spans
from campaigns.conversion import Dated, Rates
from campaigns.daily import Booked, Rests, Said
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.spans import Span

# So many points a line has at most: one a day, and where there are more days one in some weeks.
MOST_POINTS = 200


@dataclass(frozen=True)
class End:
    """What a listing has raised by now, in the campaign's currency, and when that was true."""

    listing: Listing
    raised: Money
    as_of: datetime


@dataclass(frozen=True)
class Point:
    """What a listing had raised on a day, in the campaign's currency, true at `as_of`.

    That is the day's last report; where that lags, or on a day without one, what the last report
    before it says and was booked since; without any, and by the rule `itemised`, all that was
    booked up to the day's end. `by_hand`: staff entered the report on this day.
    """

    day: date
    as_of: datetime
    raised: Money
    by_hand: bool = False


@dataclass(frozen=True)
class Line:
    """A listing's points, one for each of the curve's days from its first figure on."""

    listing: Listing
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Curve:
    """`days` are the organisation's, `every` so many one, up to that of the newest figure; `total`
    is the sum of the lines on each of them."""

    zone: ZoneInfo
    every: int
    days: tuple[date, ...]
    lines: tuple[Line, ...]
    total: tuple[Money, ...]


def of(campaign: Campaign, ends: Sequence[End]) -> Curve | None:
    """The curve that ends with `ends`; None before there are two days to draw.

    What is held appears nowhere. The past is as it is known now: an entry stands on its own day,
    whenever it came, and one that was reversed on none. What was reported stays as it was
    published; where it fell, a Correction says why.
    """
    listings, zone = [end.listing for end in ends], figures.zone()
    booked = daily.booked(listings)
    known = [day for of_one in booked.values() for day in of_one]
    first = min(filter(None, [daily.first_said(listings, zone), *known]), default=None)
    if first is None or not ends:
        return None
    last = max(end.as_of for end in ends).astimezone(zone).date()
    every, days = _sampled(first, last, zone)
    if len(days) < 2:
        return None
    said = daily.said(listings, days, zone)
    rests = daily.rests(said, booked, zone)
    past = _Past(campaign.currency, _rates(campaign.currency, booked, said, rests), said, rests)
    lines = tuple(_line(end, days, past, booked[end.listing.id]) for end in ends)
    dates = tuple(day.day for day in days)
    return Curve(zone, every, dates, lines, _together(lines, dates, campaign.currency))


@dataclass(frozen=True)
class _Past:
    """What the points of every line are made of, besides what was booked to its listing."""

    currency: str
    rates: Rates
    said: Mapping[tuple[int, date], Said]
    rests: Rests

    def worth(self, amounts: Iterable[Money], day: date) -> int:
        """Minor units of the campaign's currency; what no rate converts is left out."""
        minor = 0
        for amount in amounts:
            if amount.currency == self.currency:
                minor += amount.minor
            else:
                minor += self.rates.sum([(amount, day)], self.currency)[0].minor
        return minor


def _sampled(first: date, last: date, zone: ZoneInfo) -> tuple[int, list[Span]]:
    """How many days one point stands for, and the points' days; the last is always one."""
    count = (last - first).days + 1
    every = 1 if count <= MOST_POINTS else -(-count // (MOST_POINTS * 7)) * 7
    days = [last - timedelta(days=number) for number in range(0, count, every)]
    return every, [spans.day(day, zone) for day in reversed(days)]


def _rates(
    currency: str,
    booked: Mapping[int, Booked],
    said: Mapping[tuple[int, date], Said],
    rests: Rests,
) -> Rates:
    wanted: list[Dated] = [
        (amount, day) for days in booked.values() for day in days for amount in days[day]
    ]
    for one in said.values():
        wanted += [(amount, one.day) for amount in (one.whole, *rests.get(one.id, ()))]
    return conversion.rates(wanted, {currency})


def _line(end: End, days: Sequence[Span], past: _Past, booked: Booked) -> Line:
    """The last point is the figure that is shown now, whatever it is made of."""
    when = list(booked)
    sums = [0, *accumulate(past.worth(booked[day], day) for day in booked)]
    points = []
    for span in days:
        said, until = past.said.get((end.listing.id, span.day)), bisect_right(when, span.day)
        if said is not None:
            points.append(
                _reported(said, span.day, sums[until] - _upto(sums, when, said.day), past)
            )
        elif until:
            points.append(Point(span.day, span.ends, Money(sums[until], past.currency)))
    by_hand = bool(points) and points[-1].day == days[-1].day and points[-1].by_hand
    earlier = [point for point in points if point.day < days[-1].day]
    return Line(end.listing, (*earlier, Point(days[-1].day, end.as_of, end.raised, by_hand)))


def _upto(sums: Sequence[int], when: Sequence[date], day: date) -> int:
    return sums[bisect_right(when, day)]


def _reported(said: Said, day: date, booked_since: int, past: _Past) -> Point:
    rest = past.rests.get(said.id, ()) if daily.goes_on(said, day) else ()
    minor = past.worth((said.whole, *rest), said.day) + booked_since
    by_hand = said.by_hand and said.day == day
    return Point(day, said.as_of, Money(minor, past.currency), by_hand)


def _together(lines: Iterable[Line], days: Iterable[date], currency: str) -> tuple[Money, ...]:
    sums: defaultdict[date, int] = defaultdict(int)
    for line in lines:
        for point in line.points:
            sums[point.day] += point.raised.minor
    return tuple(Money(sums[day], currency) for day in days)
