"""Spans: stretches of time, such as the organisation's days, that a question goes over at once.

SQLite knows no zones and cannot say when a day begins; so the moments are ours, and go along as one
value: a statement for any number of them is written and planned once.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Integer,
    Subquery,
    Text,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql

from campaigns.db import Moment, db

HOUR = timedelta(hours=1)


class Span(NamedTuple):
    """From `begins` on and before `ends`. A day, and each of its hours, has the day's number."""

    number: int
    begins: datetime
    ends: datetime

    @property
    def day(self) -> date:
        return date.fromordinal(self.number)


def days(first: date, last: date, zone: ZoneInfo) -> list[Span]:
    """Each day from `first` to `last` as it is in `zone`: of 23 or 25 hours too."""
    return [day(first + timedelta(days=number), zone) for number in range((last - first).days + 1)]


def day(on: date, zone: ZoneInfo) -> Span:
    """One day as it is in `zone`."""
    return Span(on.toordinal(), _midnight(on, zone), _midnight(on + timedelta(days=1), zone))


def hours(of: Span) -> list[Span]:
    """A day's hours, counted from its beginning."""
    whole = of.ends - of.begins
    begins = [of.begins + number * HOUR for number in range(-(-whole // HOUR))]
    return [Span(of.number, begin, min(begin + HOUR, of.ends)) for begin in begins]


def table(spans: Sequence[Span]) -> Subquery:
    """The spans as rows of `number`, `begins` and `ends`."""
    if db.engine.dialect.name == "sqlite":
        return _of_json(spans)
    return _of_arrays(spans)


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time.min, zone).astimezone(UTC)


def _of_json(spans: Sequence[Span]) -> Subquery:
    rows = [(one.number, _stored(one.begins), _stored(one.ends)) for one in spans]
    row = func.json_each(literal(json.dumps(rows), Text)).table_valued("value")
    part = [func.json_extract(row.c.value, f"$[{number}]") for number in range(3)]
    return select(
        type_coerce(part[0], Integer).label("number"),
        type_coerce(part[1], Moment).label("begins"),
        type_coerce(part[2], Moment).label("ends"),
    ).subquery("spans")


def _stored(moment: datetime) -> str:
    """As SQLite keeps a moment, which is as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _of_arrays(spans: Sequence[Span]) -> Subquery:
    moments = postgresql.ARRAY(postgresql.TIMESTAMP(timezone=True))
    numbers = [one.number for one in spans]
    row = (
        func.unnest(
            bindparam(None, numbers, type_=postgresql.ARRAY(BigInteger)),
            bindparam(None, [one.begins for one in spans], type_=moments),
            bindparam(None, [one.ends for one in spans], type_=moments),
        )
        .table_valued("number", "begins", "ends")
        .render_derived()
    )
    return select(
        type_coerce(row.c.number, BigInteger).label("number"),
        type_coerce(row.c.begins, Moment).label("begins"),
        type_coerce(row.c.ends, Moment).label("ends"),
    ).subquery("spans")
