"""Hours: when a letter may reach somebody, in their own zone (design §7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, select

from campaigns import daysoff
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.donor import Donor
from campaigns.model.organisation import COUNTRY, QUIET_FROM, QUIET_UNTIL, Organisation, QuietDays
from config import settings

_DAY = 24 * 60  # minutes
# What staff decided, to be selected beside what it is asked for.
KEPT = (
    Organisation.timezone.label("our_zone"),
    Organisation.country,
    Organisation.quiet_from,
    Organisation.quiet_until,
    Organisation.quiet_days,
)
_OURS = select(*KEPT).where(Organisation.ours)


@dataclass(frozen=True)
class Hours:
    """What staff decided: quiet from and until, in minutes since midnight; equal is never.

    `zone` is the organisation's, which is also that of whoever has none.
    """

    zone: str
    country: str
    quiet_from: int
    quiet_until: int
    quiet_days: QuietDays

    def opens(self, zone: str | None, purpose: Purpose, now: datetime) -> datetime:
        """`now`, if a letter of this purpose may reach somebody there now; else when it may.

        Service letters never wait. Thanks wait for the hour, not for the day: a week late they
        would be none.
        """
        if purpose is Purpose.SERVICE:
            return now
        there = self._there(zone)
        day = now.astimezone(there).date()
        while True:
            if purpose is Purpose.RECEIPTS or not self.is_quiet(day):
                for begins, ends in self._open():
                    if now < _at(day, ends, there):
                        return max(now, _at(day, begins, there))
            day += timedelta(days=1)

    def moment(self, local: datetime, zone: str | None) -> datetime:
        """When clocks there show `local`, a time without a zone.

        One that clocks skip is as long after their change as it says; of one that they show twice
        it is the first.
        """
        return local.replace(tzinfo=self._there(zone)).astimezone(UTC)

    def is_quiet(self, day: date) -> bool:
        """Whether letters wait for another day."""
        if self.quiet_days is QuietDays.NONE:
            return False
        if self.quiet_days is QuietDays.DAYS_OFF:
            return daysoff.off(self.country, day)
        return daysoff.of_holiday(self.country, day)

    def _open(self) -> Sequence[tuple[int, int]]:
        """The parts of a day that are not quiet, in minutes since midnight."""
        if self.quiet_from == self.quiet_until:
            return ((0, _DAY),)
        if self.quiet_from > self.quiet_until:
            return ((self.quiet_until, self.quiet_from),)
        parts = ((0, self.quiet_from), (self.quiet_until, _DAY))
        return [part for part in parts if part[0] < part[1]]

    def _there(self, zone: str | None) -> ZoneInfo:
        return (zone and _zone(zone)) or ZoneInfo(self.zone)


def ours() -> Hours:
    """As staff keep them; before they kept any, as a new organisation begins."""
    row = db.session.connection().execute(_OURS).one_or_none()
    return _of(row) if row is not None else _new()


def zones(members: Select[int]) -> set[str | None]:
    """The zones of a segment's donors, and None for who has none of their own."""
    theirs = select(Donor.timezone).where(Donor.id.in_(members)).distinct()
    return {None, *db.session.scalars(theirs)}


def known(zone: str) -> bool:
    """Whether clocks somewhere go by a zone of this name."""
    return _zone(zone) is not None


def put_off(rows: Iterable[Row[*tuple[Any, ...]]], now: datetime) -> dict[int, datetime]:
    """When letters may go that may not go now, by their ids.

    Each row has `id`, `purpose`, `zone`, the recipient's or None, and what `KEPT` selects of the
    organisation, or nothing of it.
    """
    asked = [row for row in rows if row.purpose is not Purpose.SERVICE]
    if not asked:
        return {}
    kept = _of(asked[0]) if asked[0].our_zone else _new()
    kinds = {(row.zone, row.purpose) for row in asked}
    opens = {(zone, purpose): kept.opens(zone, purpose, now) for zone, purpose in kinds}
    when = {row.id: opens[row.zone, row.purpose] for row in asked}
    return {id: at for id, at in when.items() if at > now}


def _of(row: Row[*tuple[Any, ...]]) -> Hours:
    return Hours(row.our_zone, row.country, row.quiet_from, row.quiet_until, row.quiet_days)


def _new() -> Hours:
    zone = settings().default_timezone
    return Hours(zone, COUNTRY, QUIET_FROM, QUIET_UNTIL, QuietDays.HOLIDAYS)


def _at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    """None for a name that this machine does not know (any more)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
