"""Freshness: how much a listing's figure can be relied on to be today's (design §6)."""

from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.cadence import Cadence
from campaigns.model.campaign import CampaignState
from campaigns.model.listing import Asking, Listing

# So many failures in a row are no passing fault. As a failing listing is asked less and less, the
# third comes an hour after the last figure where it is asked every ten minutes.
BROKEN_AFTER = 3
# A late figure is stale after this, or after two more of the listing's periods if they are longer.
STALE = timedelta(days=1)
# What is booked by webhook is of now; what takes longer than this to be booked is not.
BOOKING = timedelta(minutes=1)


class Freshness(StrEnum):
    """late: a figure should have come by the listing's contract. stale: long since. broken: the
    platform's answers bring none. refused: the platform does not want to be asked; staff enter
    the figure. by_hand: they do anyway. final: it changes no more. none_yet: there is none.
    """

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    BROKEN = "broken"
    REFUSED = "refused"
    BY_HAND = "by_hand"
    FINAL = "final"
    NONE_YET = "none_yet"


_ENTERED = {Asking.REFUSED: Freshness.REFUSED, Asking.BY_HAND: Freshness.BY_HAND}


def of(
    when: Cadence, state: CampaignState, as_of: datetime | None, *, by_entries: bool, now: datetime
) -> Freshness:
    """The freshness of a figure of `as_of`, in a campaign of this state.

    `by_entries`: it rests on what was booked, not on a report; then a platform that does not
    answer makes it no older.
    """
    listing = when.listing
    if as_of is None:
        return _without_figure(listing)
    if is_over(when, state, now):
        return Freshness.FINAL
    if by_entries and now - as_of <= BOOKING:
        return Freshness.FRESH
    if listing.asking in _ENTERED:
        return _ENTERED[listing.asking]
    late_from = when.late_from(as_of)
    if late_from is None or now <= late_from:
        return Freshness.FRESH
    if failing(listing) and not by_entries:
        return Freshness.BROKEN
    longer = 2 * (when.period(as_of) or timedelta())
    return Freshness.STALE if now > late_from + max(STALE, longer) else Freshness.LATE


def is_over(when: Cadence, state: CampaignState, now: datetime) -> bool:
    """Whether nothing more is expected: staff said so, or it was long enough after the end."""
    if when.listing.asking is Asking.ENDED or state is CampaignState.CLOSED:
        return True
    return when.stops_at is not None and now >= when.stops_at


def failing(listing: Listing) -> bool:
    """Whether a listing that is asked brings nothing, time after time."""
    return listing.asking is Asking.ASKED and listing.failures >= BROKEN_AFTER


def _without_figure(listing: Listing) -> Freshness:
    if listing.asking is Asking.REFUSED:
        return Freshness.REFUSED
    return Freshness.BROKEN if failing(listing) else Freshness.NONE_YET
