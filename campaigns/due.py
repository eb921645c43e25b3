"""What is due: work that rows ask for, since when, and how long it may lie."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from campaigns.batches import LONGEST_STILL, WORK
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.host import Host
from campaigns.model.imported import Import
from campaigns.model.listing import Asking, Listing
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.notice import Notice, Verdict

# A large mailing's last letters wait their turn for a while.
LONGEST = {
    "deliveries": timedelta(hours=1),
    "imports": LONGEST_STILL,
    "listings": timedelta(minutes=15),
    "notices": timedelta(minutes=15),
}


def oldest(now: datetime) -> dict[str, datetime | None]:
    """Since when the longest waiting row of each kind of work is due; None if nothing is.

    Of imports it is when the work of the slowest last came further.
    """
    return {name: db.session.scalar(query) for name, query in _queues(now).items()}


def late(since: dict[str, datetime | None], now: datetime) -> dict[str, datetime]:
    """Of those, what has lain for longer than it may."""
    return {name: at for name, at in since.items() if at and now - at > LONGEST[name]}


def _queues(now: datetime) -> dict[str, Any]:
    going = select(Mailing.id).where(Mailing.state == MailingState.SENDING)
    asked = select(Campaign.id).where(
        Campaign.state.not_in((CampaignState.DRAFT, CampaignState.CLOSED))
    )
    resting = select(Host.name).where(Host.rests_until > now)
    return {
        "deliveries": select(Delivery.due_at)
        .where(Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
        .where(Delivery.due_at <= now)
        .where(or_(Delivery.mailing_id.is_(None), Delivery.mailing_id.in_(going)))
        .order_by(Delivery.due_at)
        .limit(1),
        "imports": select(Import.moved_at)
        .where(Import.state.in_(WORK), Import.moved_at <= now)
        .order_by(Import.moved_at)
        .limit(1),
        "listings": select(Listing.next_poll_at)
        .where(Listing.asking == Asking.ASKED, Listing.campaign_id.in_(asked))
        .where(Listing.next_poll_at <= now, Listing.host.not_in(resting))
        .order_by(Listing.next_poll_at)
        .limit(1),
        "notices": select(Notice.next_try_at)
        .where(Notice.verdict == Verdict.WAITING, Notice.next_try_at <= now)
        .order_by(Notice.next_try_at)
        .limit(1),
    }
