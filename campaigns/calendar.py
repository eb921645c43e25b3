"""The calendar: what is scheduled, due and sent in a month, day by day, and which days are off."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select

from campaigns import daysoff, duties, hours
from campaigns.db import db
from campaigns.duties import Duty
from campaigns.model.mailing import Mailing, MailingState

_DAY = timedelta(days=1)
_SHOWN = (
    MailingState.SCHEDULED,
    MailingState.MISSED,
    MailingState.PAUSED,
    MailingState.SENDING,
    MailingState.SENT,
    MailingState.EXPIRED,
)


@dataclass(frozen=True)
class Day:
    """A day in the organisation's zone. `mailings` begin or began then, the first first.

    `reports` are due then, by what campaigns promised or since they ended. `holiday` is its name;
    `made_up` a day of a weekend on which people work; `quiet`: mailings wait for another day.
    """

    on: date
    holiday: str | None
    made_up: bool
    quiet: bool
    mailings: list[tuple[datetime, Mailing]] = field(default_factory=list)
    reports: list[Duty] = field(default_factory=list)

    @property
    def bare(self) -> bool:
        """Whether there is nothing to say about it."""
        return not (self.mailings or self.reports or self.holiday or self.made_up)


def month(first: date, locale: str, now: datetime) -> list[Day]:
    """Every day of the month that begins with `first`; holidays' names in the language `locale`."""
    kept = hours.ours()
    days = {
        on: Day(
            on,
            daysoff.holiday(kept.country, on, locale),
            daysoff.made_up(kept.country, on),
            kept.is_quiet(on),
        )
        for on in _days(first)
    }
    zone = ZoneInfo(kept.zone)
    for at, mailing in _mailings(_moment(min(days), zone), _moment(max(days) + _DAY, zone)):
        days[at.astimezone(zone).date()].mailings.append((at, mailing))
    for duty in duties.owed(zone, now):
        if duty.due in days:
            days[duty.due].reports.append(duty)
    return list(days.values())


def _days(first: date) -> list[date]:
    days = [first + number * _DAY for number in range(31)]
    return [day for day in days if day.month == first.month]


def _moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _mailings(since: datetime, until: datetime) -> list[tuple[datetime, Mailing]]:
    begins = func.coalesce(Mailing.started_at, Mailing.scheduled_at)
    stopped = and_(Mailing.state == MailingState.CANCELLED, Mailing.started_at.is_not(None))
    rows = db.session.scalars(
        select(Mailing)
        .where(or_(Mailing.state.in_(_SHOWN), stopped), begins >= since, begins < until)
        .order_by(begins, Mailing.id)
    )
    return [(at, row) for row in rows if (at := row.started_at or row.scheduled_at)]
