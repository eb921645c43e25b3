"""Pace: listings are asked earlier where what they are asked by has changed."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import lazyload

from campaigns import cadence, figures
from campaigns.cadence import Cadence
from campaigns.db import db
from campaigns.model.campaign import ASKED_ABOUT, Campaign
from campaigns.model.listing import Asking, Listing


def quicken(which: ColumnElement[bool], now: datetime) -> None:
    """Ask those listings as soon as their cadence says, if that is earlier than they are due.

    One that is never to be asked again is taken up again. A listing that fails keeps its wait. One
    whose answer is being stored just now is left to its next question, so that nobody waits.
    """
    db.session.flush()
    rows = db.session.execute(
        select(Listing, Campaign)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .options(lazyload(Campaign.texts))
        .where(which, Listing.asking == Asking.ASKED, Campaign.state.in_(ASKED_ABOUT))
        .order_by(Listing.id)
        .with_for_update(skip_locked=True, of=Listing)
        .execution_options(populate_existing=True)
    ).all()
    festivals, zone = cadence.coming(now), figures.zone()
    for listing, campaign in rows:
        due = _due(cadence.of(listing, campaign, festivals, zone), now)
        if due is not None and (listing.next_poll_at is None or due < listing.next_poll_at):
            listing.next_poll_at = due
    db.session.flush()


def _due(its: Cadence, now: datetime) -> datetime | None:
    listing = its.listing
    if its.period(now) is None:
        return None
    if listing.failures and listing.next_poll_at is not None:
        return listing.next_poll_at
    due = its.next(listing.asked_at) if listing.asked_at else now
    return None if due is None else its.opening(max(due, now))
