"""Comparison: what listings reported, what was booked and what was paid out, day by day."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    ColumnElement,
    Date,
    Subquery,
    and_,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from campaigns import figures
from campaigns.db import Moment, db
from campaigns.model.entry import COUNTED, Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.report import Report, ReportState
from campaigns.model.total import Total
from campaigns.money import Money

# So many days are compared at once at most.
LONGEST = 92


@dataclass(frozen=True)
class Day:
    """A listing on one of the organisation's days, in its own currency; sums begin with it.

    `reported` is the day's last accepted report, true at `reported_at`. `itemised` is what was
    booked that a public figure counts, up to that moment, or to the day's end where nothing was
    reported. The others go to the day's end: `fees`, what the platform kept; `paid_out`;
    `still_there`, what it should hold for us by what is booked; and `apart`, what was booked in
    other currencies.
    """

    day: date
    reported: Money | None
    reported_at: datetime | None
    itemised: Money
    fees: Money
    paid_out: Money
    still_there: Money
    apart: tuple[Money, ...]

    @property
    def gap(self) -> Money | None:
        """What was reported beyond what is booked; negative where more is booked."""
        return None if self.reported is None else self.reported - self.itemised


def days(listings: Collection[Listing], first: date, last: date) -> dict[int, list[Day]]:
    """By listing, each day from `first` to `last`, by as many statements as for one.

    Raises `ValueError` for no day and for more than `LONGEST`.
    """
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if not 0 < len(every) <= LONGEST:
        raise ValueError(f"Between one and {LONGEST} days are compared, not {len(every)}.")
    last_reports = _last_of_each_day(listings, every)
    reports, later = _reports(last_reports), _booked_after(last_reports)
    sums = _sums(listings, first, last)
    found: dict[int, list[Day]] = {}
    for one in listings:
        so_far = sums[one.id].get(None, _Sums())
        rows = found[one.id] = []
        for day in every:
            so_far = so_far + sums[one.id].get(day, _Sums())
            report = reports.get((one.id, day))
            rows.append(_day(one, day, report, so_far, later.get((one.id, day), 0)))
    return found


def last_days(listings: Collection[Listing]) -> dict[int, Day]:
    """By listing, the day of its last accepted report, whenever that was."""
    reports = figures.latest([one.id for one in listings], ReportState.ACCEPTED)
    zone = figures.zone()
    day_of = {id: report.moment.astimezone(zone).date() for id, report in reports.items()}
    if not day_of:
        return {}
    until = or_(*(and_(Total.listing_id == id, Total.day <= day) for id, day in day_of.items()))
    sums, later = _totals(until), _booked_later(reports, day_of)
    return {
        one.id: _day(
            one,
            day_of[one.id],
            reports[one.id],
            sums[one.id].get(None, _Sums()),
            later.get(one.id, 0),
        )
        for one in listings
        if one.id in day_of
    }


@dataclass(frozen=True)
class _Sums:
    """Amounts by (kind of sum, currency), in minor units."""

    amounts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __add__(self, other: "_Sums") -> "_Sums":
        both = set(self.amounts) | set(other.amounts)
        return _Sums({key: self.of(*key) + other.of(*key) for key in both})

    def of(self, kind: str, currency: str) -> int:
        return self.amounts.get((kind, currency), 0)

    def apart(self, currency: str) -> tuple[Money, ...]:
        """What was booked in other currencies than this."""
        return tuple(
            Money(minor, other)
            for (kind, other), minor in sorted(self.amounts.items())
            if kind == "itemised" and other != currency and minor
        )


def _day(listing: Listing, day: date, report: Report | None, sums: _Sums, later: int) -> Day:
    itemised, fees, paid_out = (
        sums.of(kind, listing.currency) for kind in ("itemised", "fees", "paid_out")
    )

    def money(minor: int) -> Money:
        return Money(minor, listing.currency)

    return Day(
        day=day,
        reported=report.whole if report else None,
        reported_at=report.moment if report else None,
        itemised=money(itemised - (later if report else 0)),
        fees=money(-fees),
        paid_out=money(paid_out),
        still_there=money(itemised + fees - paid_out),
        apart=sums.apart(listing.currency),
    )


def _sums(
    listings: Collection[Listing], first: date, last: date
) -> Mapping[int, Mapping[date | None, _Sums]]:
    """By listing and day; under None what was booked before the first."""
    ids = Total.listing_id.in_([one.id for one in listings])
    before = _totals(ids & (Total.day < first))
    within = _totals(ids & Total.day.between(first, last), daily=True)
    return {one.id: {**before[one.id], **within[one.id]} for one in listings}


def _totals(
    which: ColumnElement[bool], *, daily: bool = False
) -> defaultdict[int, dict[date | None, _Sums]]:
    keys = (Total.listing_id, Total.kind, Total.currency)
    groups = (*keys, Total.day) if daily else keys
    rows = db.session.execute(
        select(*groups, func.sum(Total.amount_minor)).where(which).group_by(*groups)
    )
    found: defaultdict[int, dict[date | None, _Sums]] = defaultdict(dict)
    for id, kind, currency, *day, amount in rows:
        on = day[0] if day else None
        one = _Sums({(_sum_of(kind), currency): int(amount)})
        found[id][on] = found[id].get(on, _Sums()) + one
    return found


def _sum_of(kind: EntryKind) -> str:
    if kind in COUNTED:
        return "itemised"
    return {EntryKind.FEE: "fees", EntryKind.PAYOUT: "paid_out"}.get(kind, "other")


def _last_of_each_day(listings: Collection[Listing], every: Iterable[date]) -> Subquery:
    """The last accepted report of each listing and day, with the moment that the day ends at."""
    spans = _spans(every)
    newest = (
        select(Report.id)
        .where(Report.listing_id == Listing.id, Report.state == ReportState.ACCEPTED)
        .where(Report.moment >= spans.c.begins, Report.moment < spans.c.ends)
        .order_by(Report.moment.desc(), Report.id.desc())
        .limit(1)
        .correlate(Listing, spans)
        .scalar_subquery()
    )
    return (
        select(Listing.currency, spans.c.day, spans.c.ends, newest.label("report_id"))
        .join(spans, true())
        .where(Listing.id.in_([one.id for one in listings]))
        .subquery("last")
    )


def _spans(every: Iterable[date]) -> Subquery:
    """Each day with the moments it begins and ends at, which SQLite could not say: no zones."""
    zone = figures.zone()

    def begin(day: date) -> datetime:
        return datetime.combine(day, time.min, zone).astimezone(UTC)

    rows = (
        select(
            literal(day, Date).label("day"),
            literal(begin(day), Moment).label("begins"),
            literal(begin(day + timedelta(days=1)), Moment).label("ends"),
        )
        for day in every
    )
    return union_all(*rows).subquery("spans")


def _reports(last: Subquery) -> dict[tuple[int, date], Report]:
    rows = select(last.c.day, Report).join(Report, Report.id == last.c.report_id)
    return {(report.listing_id, day): report for day, report in db.session.execute(rows)}


def _booked_after(last: Subquery) -> dict[tuple[int, date], int]:
    """What came in on a day after its last report: little, since reports come until its end."""
    rows = db.session.execute(
        select(Report.listing_id, last.c.day, func.sum(Entry.amount_minor))
        .select_from(last)
        .join(Report, Report.id == last.c.report_id)
        .join(Entry, Entry.listing_id == Report.listing_id)
        .where(Entry.occurred_at > Report.moment, Entry.day == last.c.day, figures.counts())
        # Implied by the day, and what lets the index stop there.
        .where(Entry.occurred_at < last.c.ends, Entry.currency == last.c.currency)
        .group_by(Report.listing_id, last.c.day)
    )
    return {(id, day): int(amount) for id, day, amount in rows}


def _booked_later(reports: Mapping[int, Report], day_of: Mapping[int, date]) -> dict[int, int]:
    """What came in on the day of each report after its moment."""
    later = or_(
        *(
            and_(
                Entry.listing_id == id,
                Entry.occurred_at > reports[id].moment,
                Entry.occurred_at < reports[id].moment + timedelta(days=2),
                Entry.day == day,
                Entry.currency == reports[id].currency,
            )
            for id, day in day_of.items()
        )
    )
    rows = db.session.execute(
        select(Entry.listing_id, func.sum(Entry.amount_minor))
        .where(later, figures.counts())
        .group_by(Entry.listing_id)
    )
    return {id: int(amount) for id, amount in rows if id is not None}
