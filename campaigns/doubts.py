"""Doubts: why a report's figure is not believed by itself (design §6).

Nothing here reads rows or changes any; `reporting` decides what becomes of a doubtful figure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.model.listing import Listing
from campaigns.model.report import Report
from campaigns.money import Money
from campaigns.platforms.base import N_

# How far ahead of our clock a platform's own moment may be.
AHEAD = timedelta(minutes=5)
# A campaign's first gifts multiply its figure many times over, so what is less than this counts as
# this before the listing's factor is applied (docs/decisions/0040). In whole units of the currency.
GROUND = 1000


class Why(StrEnum):
    NOTHING = "nothing"
    CURRENCY = "currency"
    NEGATIVE = "negative"
    ZERO = "zero"
    FUTURE = "future"
    OLDER = "older"
    FALL = "fall"
    JUMP = "jump"


@dataclass(frozen=True)
class Doubt:
    """`reason` is as rows keep it; staff pages tell it in the reader's language."""

    why: Why
    reason: str


def of(
    report: Report, last: Report | None, shown: Money | None, listing: Listing, now: datetime
) -> Doubt | None:
    """What speaks against a report; None if nothing does.

    `last` is the last accepted one. `shown` is what the page shows before there is any, by what
    was booked.
    """
    if report.raised_minor is None:
        return Doubt(Why.NOTHING, N_("The platform gave no figure."))
    if report.currency != listing.currency:
        said = f"The figure is in {report.currency}; the listing raises {listing.currency}."
        return Doubt(Why.CURRENCY, said)
    if report.raised_minor < 0:
        return Doubt(Why.NEGATIVE, N_("The figure is below zero."))
    # Once a person has accepted that nothing was raised, nothing is no news.
    if report.raised_minor == 0 and (last is None or last.raised_minor != 0):
        return Doubt(Why.ZERO, N_("The figure is zero."))
    if report.moment > now + AHEAD:
        return Doubt(Why.FUTURE, N_("The platform dates the figure in the future."))
    if last is not None and report.moment < last.moment:
        return Doubt(Why.OLDER, N_("The figure is older than the one shown."))
    return _moved(report, last, shown, listing.jump_factor)


def confirms(report: Report, waiting: Report, listing: Listing) -> bool:
    """Whether a report says of a fall that waits for a verdict that it was none of a moment.

    It comes later, and after the fallen figure it would be believed: the same, or grown a little.
    """
    if report.moment <= waiting.moment:
        return False
    return _moved(report, waiting, None, listing.jump_factor) is None


def fall(before: Money, after: Money) -> Doubt:
    """The figure on the page would fall by that."""
    return Doubt(Why.FALL, f"The figure fell from {before} to {after}.")


def _moved(
    report: Report, last: Report | None, shown: Money | None, factor: int | None
) -> Doubt | None:
    """How far what the page shows would move, matched money included."""
    before, after = last.whole if last else shown, report.whole
    if before is None or after is None or before.currency != after.currency:
        return None
    if after < before:
        return fall(before, after)
    # Before the first report we know only what was booked, of which there may be little.
    if last is None or factor is None:
        return None
    ground = max(before, Money.of(str(GROUND), before.currency))
    if after.minor > ground.minor * factor:
        return Doubt(Why.JUMP, f"The figure jumped from {before} to {after}.")
    return None
