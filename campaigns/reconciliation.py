"""Reconciliation: where reports and entries disagree, since when, and why, as a person says."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from campaigns import audit, comparison, figures, silences
from campaigns.comparison import Day
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.entry import EntryKind
from campaigns.model.explanation import Explanation
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.silences import Silence

# A gap may wait so long at most.
LONGEST_TOLERANCE = comparison.LONGEST - 2  # days


class GapChanged(Exception):
    """The gap is no more what the person was looking at."""


class BadTolerance(ValueError):
    """Not an amount from nought up, or not a number of days that a gap may wait."""


@dataclass(frozen=True)
class Standing:
    """How a listing stands: its last comparison, and since when it has not agreed.

    `since` is the first of the days in a row, up to the last comparison, on which the gap was
    above the tolerance and not explained; None if nothing is open. `explained` is why, if a
    person said so about a gap of this size.
    """

    listing: Listing
    last: Day
    since: date | None
    explained: Explanation | None

    def age(self, today: date) -> int | None:
        """Days since the gap opened; None where nothing is open."""
        return None if self.since is None else (today - self.since).days

    @property
    def missing(self) -> bool:
        """Whether less is booked than was reported, and nobody has said why."""
        gap = self.last.gap
        return self.since is not None and gap is not None and gap.minor > 0

    def overdue(self, today: date) -> bool:
        """Whether it is open for longer than the listing's tolerance."""
        age = self.age(today)
        return age is not None and age > self.listing.tolerance_days


def standing(
    listings: Collection[Listing], now: datetime, looked_back: int = comparison.LONGEST
) -> dict[int, Standing]:
    """How those listings stand that are compared.

    Compared is a listing that was ever reported and either itemises or has a donation booked;
    and none whose tolerance is None. A gap that is open on all days that are looked back on may
    be older than it says.
    """
    asked = _compared(listings)
    today = figures.day_of(now)
    lately = comparison.days(asked, today - timedelta(days=looked_back - 1), today)
    found = {id: [day for day in some if day.reported] for id, some in lately.items()}
    earlier = comparison.last_days([one for one in asked if not found[one.id]])
    found |= {id: [day] for id, day in earlier.items()}
    said = _said(asked)
    return {one.id: _standing(one, found[one.id], said[one.id]) for one in asked if found[one.id]}


def overdue(now: datetime) -> list[Standing]:
    """The gaps that a person must explain or close."""
    listings, today = open_listings(), figures.day_of(now)
    longest = max((one.tolerance_days for one in listings), default=0)
    found = standing(listings, now, looked_back=longest + 2)
    return [one for one in found.values() if one.overdue(today)]


def silent(listings: Collection[Listing], now: datetime) -> dict[int, Silence]:
    """The listings whose reports grow while no entries come, and the gap is open for that.

    It ends by itself, when entries come or a person says why they do not.
    """
    found = silences.of(listings, now)
    if not found:
        return {}
    stands = standing([one for one in listings if one.id in found], now)
    return {id: one for id, one in found.items() if id not in stands or stands[id].missing}


def open_listings() -> Sequence[Listing]:
    """The listings of campaigns that are public and not closed, by campaign."""
    over = (CampaignState.DRAFT, CampaignState.CLOSED)
    return db.session.scalars(
        select(Listing)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .where(Campaign.state.not_in(over))
        .order_by(Campaign.id.desc(), Listing.position, Listing.id)
    ).all()


def explain(standing: Standing, gap: Money, note: str, now: datetime, by: Staff) -> Explanation:
    """Keep why a listing's last gap is there. It holds as long as the gap has this size.

    `gap` is what the person was looking at; raises `GapChanged` if there is another or none by
    now. The same note a second time is the first.
    """
    if standing.last.gap != gap or not gap.minor:
        raise GapChanged
    known = standing.explained
    if known is not None and (known.gap_minor, known.note) == (gap.minor, note):
        return known
    explanation = Explanation(
        listing_id=standing.listing.id,
        day=standing.last.day,
        gap_minor=gap.minor,
        currency=gap.currency,
        note=note,
        at=now,
        staff_id=by.id,
    )
    db.session.add(explanation)
    db.session.flush()
    changes = {"gap": (None, gap), "listing": (None, standing.listing.id), "note": (None, note)}
    audit.record("explained gap", explanation, now, by=by, changes=changes)
    return explanation


def explanations(listing: Listing, limit: int = 20) -> Sequence[Explanation]:
    """What was said about a listing's gaps, newest first."""
    return db.session.scalars(
        select(Explanation)
        .where(Explanation.listing_id == listing.id)
        .order_by(Explanation.id.desc())
        .limit(limit)
    ).all()


def tolerate(
    listing: Listing, amount: Money | None, days: int, reason: str, now: datetime, by: Staff
) -> None:
    """Change how large a listing's gap may be, and how long; None compares it no more.

    The same a second time changes nothing. Raises `BadTolerance`.
    """
    if amount is not None and (amount.minor < 0 or amount.currency != listing.currency):
        raise BadTolerance
    if not 0 <= days <= LONGEST_TOLERANCE:
        raise BadTolerance
    before = listing.tolerance_minor, listing.tolerance_days
    after = None if amount is None else amount.minor, days
    if before == after:
        return
    listing.tolerance_minor, listing.tolerance_days = after
    changes = {
        "tolerance": (before[0], after[0]),
        "tolerance_days": (before[1], after[1]),
        "reason": (None, reason),
    }
    audit.record("changed tolerance", listing, now, by=by, changes=changes)
    db.session.flush()


def _compared(listings: Collection[Listing]) -> list[Listing]:
    ids = [one.id for one in listings if one.rule is not Rule.ITEMISED]
    booked = select(Total.listing_id).where(
        Total.listing_id.in_(ids), Total.kind == EntryKind.DONATION
    )
    given = set(db.session.scalars(booked.distinct()))
    return [
        one
        for one in listings
        if one.tolerance_minor is not None and (one.rule is Rule.ITEMISED or one.id in given)
    ]


def _standing(listing: Listing, some: Sequence[Day], said: Sequence[Explanation]) -> Standing:
    since = None
    for day in reversed(some):
        if _agrees(listing, day) or _why(listing, day, said):
            break
        since = day.day
    return Standing(listing, some[-1], since, _why(listing, some[-1], said))


def _agrees(listing: Listing, day: Day) -> bool:
    return day.gap is None or abs(day.gap.minor) <= (listing.tolerance_minor or 0)


def _why(listing: Listing, day: Day, said: Iterable[Explanation]) -> Explanation | None:
    """The newest explanation of a gap of this size, give or take the tolerance."""
    gap, allowed = day.gap, listing.tolerance_minor or 0
    if gap is None or not gap.minor:
        return None
    fits = (
        one
        for one in said
        if one.currency == gap.currency and abs(gap.minor - one.gap_minor) <= allowed
    )
    return next(fits, None)


def _said(listings: Iterable[Listing]) -> Mapping[int, list[Explanation]]:
    found: defaultdict[int, list[Explanation]] = defaultdict(list)
    about = Explanation.listing_id.in_([one.id for one in listings])
    newest_first = select(Explanation).where(about).order_by(Explanation.id.desc())
    for explanation in db.session.scalars(newest_first):
        found[explanation.listing_id].append(explanation)
    return found
