"""Cadence: how often a listing is asked, and from when on its figure counts as late (design §11).

A listing's contract is its period, its grace and its working hours. Near the end of its campaign
and in the days of a giving festival it is asked more often, after the end less, and a set time
later not at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.festival import Festival
from campaigns.model.listing import Listing

# In its last days a campaign is asked about so many times as often, but not for that alone more
# often than once a minute; once it is over, no more often than this.
LAST_DAYS, TIMES = timedelta(days=2), 4
OFTEN_ENOUGH = timedelta(minutes=1)
AFTERWARDS = timedelta(hours=6)
# Who enters figures by hand does so once a day, unless the listing's period is one that was meant
# for people: nobody opens a page every ten minutes, nor because a festival is on.
DAILY, FOR_PEOPLE = timedelta(days=1), timedelta(hours=1)
WEEKLY = timedelta(days=7)  # once the campaign is over


@dataclass(frozen=True)
class Cadence:
    """One listing's. `ends_at` is when raising was or will be over, None where nobody set it."""

    listing: Listing
    ends_at: datetime | None
    festivals: Sequence[Festival]
    zone: ZoneInfo

    @property
    def stops_at(self) -> datetime | None:
        """From then on the listing is not asked: its figure is final."""
        if self.ends_at is None:
            return None
        return self.ends_at + timedelta(days=self.listing.asked_days_after)

    def period(self, at: datetime) -> timedelta | None:
        """How long after `at` to ask again; None once nobody asks any more."""
        own = timedelta(seconds=self.listing.period_seconds)
        if self.stops_at is not None and at >= self.stops_at:
            return None
        if self.ends_at is not None and at >= self.ends_at:
            return max(own, AFTERWARDS)
        periods = [own]
        if self.ends_at is not None and at >= self.ends_at - LAST_DAYS:
            periods.append(max(own / TIMES, OFTEN_ENOUGH))
        periods += [
            timedelta(seconds=festival.period_seconds)
            for festival in self.festivals
            if festival.starts_at <= at < festival.ends_at
        ]
        return min(periods)

    def next(self, asked_at: datetime) -> datetime | None:
        """When to ask again after `asked_at`: within working hours, and where the period changes.

        None where that would be after the listing's figure became final.
        """
        period = self.period(asked_at)
        if period is None:
            return None
        due = min([asked_at + period, *self._turns_between(asked_at, asked_at + period)])
        due = self.opening(due)
        return None if self.stops_at is not None and due >= self.stops_at else due

    def late_from(self, as_of: datetime) -> datetime | None:
        """From when on a figure of `as_of` is late; None if it never will be."""
        due = self.next(as_of)
        return None if due is None else due + timedelta(seconds=self.listing.grace_seconds)

    def entered_next(self, as_of: datetime) -> datetime | None:
        """When staff are to enter a figure after that of `as_of`, where nobody asks the platform.

        None where that would be after the listing's figure became final.
        """
        own = timedelta(seconds=self.listing.period_seconds)
        period = own if own >= FOR_PEOPLE else DAILY
        if self.ends_at is not None and as_of >= self.ends_at:
            period = max(period, WEEKLY)
        due = self.opening(as_of + period)
        return None if self.stops_at is not None and due >= self.stops_at else due

    def opening(self, at: datetime) -> datetime:
        """`at` if it is within the listing's working hours, else when they next begin."""
        opens, closes = self.listing.opens_at, self.listing.closes_at
        if opens is None or closes is None or opens == closes:
            return at
        zone = ZoneInfo(self.listing.zone) if self.listing.zone else self.zone
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        # From 22:00 to 06:00 goes over midnight.
        over_night = opens > closes
        if (minute >= opens or minute < closes) if over_night else opens <= minute < closes:
            return at
        day = local.date() if minute < opens else local.date() + timedelta(days=1)
        begins = datetime.combine(day, time(opens // 60, opens % 60), zone)
        return begins.astimezone(at.tzinfo)

    def _turns_between(self, begin: datetime, end: datetime) -> Iterable[datetime]:
        """When the period becomes another one: the listing is asked then, not only afterwards."""
        moments = [festival.starts_at for festival in self.festivals]
        if self.ends_at is not None:
            moments += [self.ends_at - LAST_DAYS, self.ends_at]
        return (moment for moment in moments if begin < moment < end)


def of(
    listing: Listing, campaign: Campaign, festivals: Sequence[Festival], zone: ZoneInfo
) -> Cadence:
    """`festivals` as `coming` gives them, `zone` the organisation's (`figures.zone`)."""
    return Cadence(listing, over_at(campaign, zone), festivals, zone)


def over_at(campaign: Campaign, zone: ZoneInfo) -> datetime | None:
    """When raising was ended, else the end of its last day as planned; None without a plan."""
    if campaign.ended_at is not None:
        return campaign.ended_at
    if campaign.ends_on is None:
        return None
    return datetime.combine(campaign.ends_on + timedelta(days=1), time.min, zone)


def coming(now: datetime) -> Sequence[Festival]:
    """The festivals that are not over, the first first."""
    return db.session.scalars(
        select(Festival).where(Festival.ends_at > now).order_by(Festival.starts_at, Festival.id)
    ).all()
