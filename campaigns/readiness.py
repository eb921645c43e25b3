"""Readiness: whether every part that the service stands on does its work at this moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from campaigns import bell, schema
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.listing import Asking, Listing
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.notice import Notice, Verdict
from campaigns.model.pulse import Pulse
from config import settings

# The pulse beats every 5 s; a worker's restart fits in here.
LATEST_BEAT = timedelta(seconds=30)
# How long due work may lie. A large mailing's last letters wait their turn for a while.
LONGEST_DUE = {
    "deliveries": timedelta(hours=1),
    "listings": timedelta(minutes=15),
    "notices": timedelta(minutes=15),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part: whether it does its work, and what was seen."""

    ok: bool
    seen: dict[str, Any]


def of(now: datetime) -> dict[str, Part]:
    """Every part by its name; never raises. The service is ready when all of them are ok."""
    looks: dict[str, Callable[[datetime], Part]] = {
        "database": _database,
        "migrations": _migrations,
        "broker": _broker,
        "beat": _beat,
        "due": _due,
    }
    return {name: _looked(look, now) for name, look in looks.items()}


def oldest_due(now: datetime) -> dict[str, datetime | None]:
    """Since when the longest waiting row of each kind of work is due; None if nothing is."""
    return {name: db.session.scalar(query) for name, query in _queues(now).items()}


def _looked(look: Callable[[datetime], Part], now: datetime) -> Part:
    try:
        return look(now)
    except (SQLAlchemyError, bell.Silent) as error:
        db.session.rollback()
        return Part(False, {"error": type(error).__name__})


def _database(now: datetime) -> Part:
    db.session.execute(select(1))
    return Part(True, {})


def _migrations(now: datetime) -> Part:
    stands = schema.stands_at(db.session.connection())
    return Part(stands == _head(), {"at": stands, "head": _head()})


def _broker(now: datetime) -> Part:
    if url := settings().broker_url:
        bell.ring(url)
    return Part(True, {} if url else {"configured": False})


def _beat(now: datetime) -> Part:
    at = db.session.scalar(select(Pulse.at).where(Pulse.name == "beat"))
    return Part(at is not None and now - at <= LATEST_BEAT, {"at": at and at.isoformat()})


def _due(now: datetime) -> Part:
    waited = {name: since and now - since for name, since in oldest_due(now).items()}
    late = [name for name, time in waited.items() if time and time > LONGEST_DUE[name]]
    seconds = {name: time and int(time.total_seconds()) for name, time in waited.items()}
    return Part(not late, {"oldest_seconds": seconds})


def _queues(now: datetime) -> dict[str, Any]:
    going = select(Mailing.id).where(Mailing.state == MailingState.SENDING)
    asked = select(Campaign.id).where(
        Campaign.state.in_((CampaignState.LIVE, CampaignState.PAUSED))
    )
    return {
        "deliveries": select(Delivery.due_at)
        .where(Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
        .where(Delivery.due_at <= now)
        .where(or_(Delivery.mailing_id.is_(None), Delivery.mailing_id.in_(going)))
        .order_by(Delivery.due_at)
        .limit(1),
        "listings": select(Listing.next_poll_at)
        .where(Listing.asking == Asking.ASKED, Listing.campaign_id.in_(asked))
        .where(Listing.next_poll_at <= now)
        .order_by(Listing.next_poll_at)
        .limit(1),
        "notices": select(Notice.next_try_at)
        .where(Notice.verdict == Verdict.WAITING, Notice.next_try_at <= now)
        .order_by(Notice.next_try_at)
        .limit(1),
    }


@cache
def _head() -> str:
    return schema.head()
