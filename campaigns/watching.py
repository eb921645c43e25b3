"""Watching: staff are written once when a listing's figure turns bad, is due or is held, and once
when it recovers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from campaigns import freshness, letters
from campaigns.db import db
from campaigns.freshness import Freshness
from campaigns.model.campaign import RAISING, Campaign, CampaignState
from campaigns.model.listing import Asking, Listing, Rule, Told
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Permission

# Longer than any listing is asked after its campaign's end (`contracts.LONGEST_AFTER`).
AFTERWARDS = timedelta(days=400)
# A platform that goes up and down is told of no more often.
QUIET = timedelta(hours=12)
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

    `quiet`: they took it into their own hands, entered what was due, or it is over; then no letter
    says so.
    """

    listing_id: int
    before: Told | None
    to: Told | None
    quiet: bool


def news(found: Iterable[tuple[Listing, Freshness]], due: Collection[int]) -> list[News]:
    """`found` is what progress says of the listings of `watched`, `due` those of `rounds.due`."""
    every = [_news(listing, state, listing.id in due) for listing, state in found]
    return [one for one in every if one.before is not one.to]


def tell(news: Sequence[News], now: datetime) -> None:
    """Note it all, with a letter to who may act for each kind of news. Of two ticks at once one
    writes of a listing.
    """
    told: defaultdict[str, list[int]] = defaultdict(list)
    for one in sorted(news, key=lambda one: one.listing_id):
        if _is_noted(one) and not one.quiet:
            told["recovered" if one.to is None else one.to.value].append(one.listing_id)
    for what, listing_ids in told.items():
        letters.alert_all(what, listing_ids, Permission.ENTER_REPORTS, now)


def is_held(now: datetime) -> bool:
    """Whether `tell_of_held` has something to tell."""
    return db.session.scalar(_untold(now).limit(1)) is not None


def tell_of_held(now: datetime) -> None:
    """One letter about all figures that wait for a verdict, to who may give it.

    Each is told of once. Of a listing's second one nothing is said for a while, unless somebody
    decided about the first: it stands on their first page beside it.
    """
    untold = _untold(now).order_by(Report.id).with_for_update(skip_locked=True)
    noted = db.session.scalars(
        update(Report)
        .where(Report.id.in_(untold))
        .values(told_at=now)
        .returning(Report.listing_id)
        .execution_options(synchronize_session=False)
    ).all()
    if noted:
        letters.alert_all("quarantined", sorted(set(noted)), Permission.JUDGE_REPORTS, now)


def _untold(now: datetime) -> Select[int]:
    other = aliased(Report)
    lately = exists().where(
        other.listing_id == Report.listing_id,
        other.told_at > now - QUIET,
        other.decided_by.is_(None),
    )
    return select(Report.id).where(
        Report.state == ReportState.QUARANTINED, Report.told_at.is_(None), ~lately
    )


def _is_noted(one: News) -> bool:
    noted = db.session.scalar(
        update(Listing)
        .where(Listing.id == one.listing_id, Listing.told.is_not_distinct_from(one.before))
        .values(told=one.to)
        .returning(Listing.id)
        .execution_options(synchronize_session=False)
    )
    return noted is not None


def _news(listing: Listing, state: Freshness, due: bool) -> News:
    told, asking = listing.told, listing.asking
    if state is Freshness.FINAL or asking is Asking.ENDED:
        return News(listing.id, told, None, quiet=True)
    if asking is Asking.BY_HAND:
        return News(listing.id, told, Told.DUE if due else None, quiet=not due)
    if asking is Asking.REFUSED and told in (Told.REFUSED, Told.DUE):
        # From now on it is as one by hand.
        return News(listing.id, told, Told.DUE if due else Told.REFUSED, quiet=not due)
    trouble = _trouble(listing, state)
    if trouble is not None:
        return News(listing.id, told, _worse(told, trouble), quiet=False)
    # A late figure is merely on its way: back, or to turn stale again.
    back = state is Freshness.FRESH or listing.rule is Rule.ITEMISED
    quiet = told is Told.DUE
    return News(listing.id, told, None if back or quiet else told, quiet=quiet)


def _trouble(listing: Listing, state: Freshness) -> Told | None:
    if listing.asking is Asking.REFUSED:
        return Told.REFUSED
    # Reconciliation needs the reports of a listing whose figure rests on entries, however fresh.
    shown = state is not Freshness.FRESH or listing.rule is Rule.ITEMISED
    if freshness.failing(listing) and shown:
        return Told.BROKEN
    return Told.STALE if state is Freshness.STALE else None


def _worse(told: Told | None, trouble: Told) -> Told:
    """From bad to worse is news, from worse to bad is none."""
    if told is None or told is Told.DUE:
        return trouble
    return max(trouble, told, key=_RANK.index)
