"""Thinning: of what platforms said long ago, as much is kept as anybody still asks for.

Reports older than a week are kept by the hour, older than three months by the day (docs/decisions/
0042-what-thinning-keeps.md). What the platform said last is kept of each, and what was highest and
lowest each day. Only reports that were believed without a person go, and none that a correction
names. Questions that brought no figure are forgotten after three months, but for the last of each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Delete,
    ScalarSelect,
    Select,
    Subquery,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from campaigns import figures, spans
from campaigns.db import db
from campaigns.model.correction import Correction
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.report import Origin, Report, ReportState
from campaigns.spans import Span

WEEK, THREE_MONTHS = timedelta(days=7), timedelta(days=92)
# So many reports and days are looked at in one transaction at most, unless one day has more.
BATCH, MOST_DAYS = 5_000, timedelta(days=92)
# Between two batches others have a moment to write.
BREATH = 0.02

_ONE = aliased(Report)
_LATER = aliased(PollFailure)
_WHOLE = _ONE.raised_minor + func.coalesce(_ONE.matched_minor, 0)
_NEWEST = (_ONE.moment.desc(), _ONE.id.desc())


@dataclass(frozen=True)
class _Step:
    """What happens to days that ended longer ago than `age`; `until` is the last one so far."""

    age: timedelta
    until: InstrumentedAttribute[date | None]
    stretches: Callable[[Span], list[Span]]

    def last(self, now: datetime, zone: ZoneInfo) -> date:
        """The last day that is old enough, to its end."""
        return (now - self.age).astimezone(zone).date() - timedelta(days=1)


_STEPS = (
    _Step(THREE_MONTHS, Listing.daily_until, lambda day: [day]),
    _Step(WEEK, Listing.hourly_until, spans.hours),
)


def sweep(now: datetime) -> bool:
    """Thin some days of one listing; whether there may be more to do.

    The second time finds nothing until another day is old enough. Of two at once each takes a
    listing of its own; one that is killed leaves the days as they were.
    """
    zone = figures.zone()
    for step in _STEPS:
        last = step.last(now, zone)
        listing = db.session.scalar(_behind(step, last))
        if listing is not None:
            setattr(listing, step.until.key, _thin(listing, step, last, zone))
            return True
    return False


def forget_failures(now: datetime) -> bool:
    """Delete some failures that are old, and their answers; whether there may be more.

    The last of a listing stays: it says why nobody asks there any more. The second time finds none.
    """
    later = exists().where(
        _LATER.listing_id == PollFailure.listing_id,
        or_(
            _LATER.at > PollFailure.at,
            and_(_LATER.at == PollFailure.at, _LATER.id > PollFailure.id),
        ),
    )
    old = select(PollFailure.id).where(PollFailure.at < now - THREE_MONTHS, later).limit(BATCH)
    gone = delete(PollFailure).where(PollFailure.id.in_(old)).returning(PollFailure.id)
    gone = gone.execution_options(synchronize_session=False)
    return len(db.session.scalars(gone).all()) == BATCH


def _behind(step: _Step, last: date) -> Select[Listing]:
    return (
        select(Listing)
        .where(or_(step.until.is_(None), step.until < last))
        .order_by(Listing.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _thin(listing: Listing, step: _Step, last: date, zone: ZoneInfo) -> date:
    """Thin some days from where it was left, `last` at most; the day up to which it is done."""
    first = _first(listing, step, zone)
    if first is None or first > last:
        return last
    until = _until(listing, first, last, zone)
    db.session.execute(_removal(listing.id, step, spans.days(first, until, zone)))
    return until


def _first(listing: Listing, step: _Step, zone: ZoneInfo) -> date | None:
    """The first day with a report that was not thinned yet; None if there is none."""
    oldest = select(func.min(Report.moment)).where(*_plain(Report, listing.id))
    done: date | None = getattr(listing, step.until.key)
    if done is not None:
        oldest = oldest.where(Report.moment >= spans.day(done, zone).ends)
    moment = db.session.scalar(oldest)
    return None if moment is None else moment.astimezone(zone).date()


def _until(listing: Listing, first: date, last: date, zone: ZoneInfo) -> date:
    """The last day of the batch that begins with `first`."""
    beyond = (
        select(Report.moment)
        .where(*_plain(Report, listing.id), Report.moment >= spans.day(first, zone).begins)
        .order_by(Report.moment)
        .offset(BATCH)
        .limit(1)
    )
    moment = db.session.scalar(beyond)
    fits = first + MOST_DAYS if moment is None else moment.astimezone(zone).date()
    return min(last, max(first, min(first + MOST_DAYS, fits) - timedelta(days=1)))


def _removal(listing_id: int, step: _Step, days: Sequence[Span]) -> Delete:
    """Delete what is neither the last of its stretch nor an extreme of its day, nor a person's."""
    day, stretches = spans.table(days), [one for of in days for one in step.stretches(of)]
    stretch = spans.table(stretches)
    kept = union_all(
        _foremost(listing_id, stretch, *_NEWEST),
        # What the figure went on from then, where a later one lagged.
        _foremost(listing_id, stretch, _ONE.lags.asc(), *_NEWEST),
        _foremost(listing_id, day, _WHOLE.desc(), *_NEWEST),
        _foremost(listing_id, day, _WHOLE, *_NEWEST),
    ).subquery("kept")
    return (
        delete(Report)
        .where(*_plain(Report, listing_id))
        .where(Report.moment >= days[0].begins, Report.moment < days[-1].ends)
        .where(Report.id.not_in(select(kept.c.id).where(kept.c.id.is_not(None))))
        .where(~exists().where(Correction.report_id == Report.id))
        .where(Report.id.is_distinct_from(_shown(listing_id)))
        .execution_options(synchronize_session=False)
    )


def _foremost(listing_id: int, span: Subquery, *order: ColumnElement[Any]) -> Select[int | None]:
    """Of each span its first report in this order.

    By a look into the index for each: a join would be left to what the planner knows of the table,
    which is nothing after many reports came at once.
    """
    within = _ONE.moment >= span.c.begins, _ONE.moment < span.c.ends
    found = select(_ONE.id).where(*_plain(_ONE, listing_id), *within).order_by(*order).limit(1)
    return select(found.correlate(span).scalar_subquery().label("id")).select_from(span)


def _shown(listing_id: int) -> ScalarSelect[int]:
    """The report that the figure goes on from, while those after it lag or are held."""
    return (
        select(_ONE.id)
        .where(*_plain(_ONE, listing_id), _ONE.lags.is_(False))
        .order_by(*_NEWEST)
        .limit(1)
        .scalar_subquery()
    )


def _plain(one: type[Report], listing_id: int) -> tuple[ColumnElement[bool], ...]:
    """What the platform said and nobody had to judge. All else stays whatever its age."""
    return (
        one.listing_id == listing_id,
        one.state == ReportState.ACCEPTED,
        one.origin == Origin.ASKED,
        one.staff_id.is_(None),
        one.decided_at.is_(None),
        one.reason.is_(None),
    )
