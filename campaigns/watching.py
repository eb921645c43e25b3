"""Watching: staff are written once when a listing's figure turns bad, and once when it recovers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update

from campaigns import freshness, letters
from campaigns.db import db
from campaigns.freshness import Freshness
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.listing import Asking, Listing, Rule, Told
from campaigns.model.staff import Permission

RAISING = (CampaignState.LIVE, CampaignState.PAUSED)
# Longer than any listing is asked after its campaign's end (`contracts.LONGEST_AFTER`).
AFTERWARDS = timedelta(days=400)
_RANK = (Told.STALE, Told.BROKEN, Told.REFUSED)


def watched(now: datetime) -> Sequence[Campaign]:
    """The campaigns whose listings may turn bad or recover."""
    lately = and_(Campaign.state == CampaignState.ENDED, Campaign.ended_at > now - AFTERWARDS)
    told = select(Listing.campaign_id).where(Listing.told.is_not(None))
    return db.session.scalars(
        select(Campaign)
        .where(or_(Campaign.state.in_(RAISING), lately, Campaign.id.in_(told)))
        .order_by(Campaign.id)
    ).all()


@dataclass(frozen=True)
class News:
    """What staff are to be told of a listing instead of `before`.

    `quiet`: they took it into their own hands, or it is over; then no letter says so.
    """

    listing_id: int
    before: Told | None
    to: Told | None
    quiet: bool


def news(found: Iterable[tuple[Listing, Freshness]]) -> list[News]:
    """`found` is what progress says of the listings of `watched`."""
    return [one for listing, state in found if (one := _news(listing, state)).before is not one.to]


def tell(one: News, now: datetime) -> None:
    """Note it, with a letter to who may act. Of two ticks at once one writes it."""
    noted = db.session.scalar(
        update(Listing)
        .where(Listing.id == one.listing_id, Listing.told.is_not_distinct_from(one.before))
        .values(told=one.to)
        .returning(Listing.id)
        .execution_options(synchronize_session=False)
    )
    if noted is not None and not one.quiet:
        what = "recovered" if one.to is None else one.to.value
        letters.alert(what, one.listing_id, Permission.ENTER_REPORTS, now)


def _news(listing: Listing, state: Freshness) -> News:
    told = listing.told
    if state is Freshness.FINAL or listing.asking in (Asking.BY_HAND, Asking.ENDED):
        due = told is Told.DUE and state is not Freshness.FINAL
        return News(listing.id, told, Told.DUE if due else None, quiet=True)
    trouble = _trouble(listing, state)
    if trouble is not None:
        return News(listing.id, told, _worse(listing, trouble), quiet=False)
    # A late figure is merely on its way: back, or to turn stale again.
    back = state is Freshness.FRESH or listing.rule is Rule.ITEMISED
    return News(listing.id, told, None if back else told, quiet=False)


def _trouble(listing: Listing, state: Freshness) -> Told | None:
    if listing.asking is Asking.REFUSED:
        return Told.REFUSED
    # Reconciliation needs the reports of a listing whose figure rests on entries, however fresh.
    shown = state is not Freshness.FRESH or listing.rule is Rule.ITEMISED
    if freshness.failing(listing) and shown:
        return Told.BROKEN
    return Told.STALE if state is Freshness.STALE else None


def _worse(listing: Listing, trouble: Told) -> Told:
    """From bad to worse is news, from worse to bad is none.

    Who was told that a figure is due knows that it is entered by hand, as a refused one is.
    """
    if listing.told is Told.DUE:
        return trouble if listing.asking is Asking.ASKED else Told.DUE
    return max(trouble, listing.told or trouble, key=_RANK.index)
