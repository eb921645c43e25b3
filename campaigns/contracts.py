"""Contracts: how fresh a listing's figure should be, and what of it is held, as staff set it."""

from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import available_timezones

from flask_babel import gettext as _

from campaigns import audit, pace
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff

# In seconds. Nobody asks a platform more often than a person could read, or trusts a week's figure.
SHORTEST, LONGEST = 10, 7 * 86400
LONGEST_AFTER = 365  # days
LARGEST_FACTOR = 1000


class Refused(Exception):
    """A contract that cannot be. Its text is a sentence for the person who tried."""


class BadPeriod(Refused):
    """The period is shorter or longer than listings are asked by."""


class BadGrace(Refused):
    """The grace is longer than figures may be late."""


class HalfHours(Refused):
    """Working hours have a beginning and an end, or neither."""


class UnknownZone(Refused):
    """There is no such time zone."""


class TooLongAfter(Refused):
    """The listing would be asked for longer than a year after its campaign's end."""


class BadFactor(Refused):
    """The factor would hold every figure, or none that is wrong."""


@dataclass(frozen=True)
class Contract:
    """As the columns of `Listing` are called: seconds, minutes of the day, days."""

    period_seconds: int
    grace_seconds: int
    zone: str | None
    opens_at: int | None
    closes_at: int | None
    asked_days_after: int
    jump_factor: int | None
    accept_falls: bool


def change(listing: Listing, to: Contract, now: datetime, by: Staff) -> None:
    """Keep a listing's contract; it is asked earlier from now on where that says so.

    Raises what `Refused` stands for. The second time does nothing.
    """
    _check(to)
    changes = {
        one.name: (getattr(listing, one.name), getattr(to, one.name))
        for one in fields(Contract)
        if getattr(listing, one.name) != getattr(to, one.name)
    }
    if not changes:
        return
    for name, (_before, after) in changes.items():
        setattr(listing, name, after)
    audit.record("change contract", listing, now, by=by, changes=changes)
    pace.quicken(Listing.id == listing.id, now)


def _check(contract: Contract) -> None:
    if not SHORTEST <= contract.period_seconds <= LONGEST:
        raise BadPeriod(_("A platform is asked at most every 10 seconds and at least once a week."))
    if not 0 <= contract.grace_seconds <= LONGEST:
        raise BadGrace(_("A figure may be late by a week at most."))
    if (contract.opens_at is None) != (contract.closes_at is None):
        raise HalfHours(_("Write both hours, or leave both empty."))
    if contract.zone is not None and contract.zone not in available_timezones():
        raise UnknownZone(_("Choose one of the list."))
    if not 0 <= contract.asked_days_after <= LONGEST_AFTER:
        raise TooLongAfter(_("At most a year, which is 365 days."))
    if contract.jump_factor is not None and not 2 <= contract.jump_factor <= LARGEST_FACTOR:
        raise BadFactor(_("Between 2 and 1,000, or empty to hold no jump."))
