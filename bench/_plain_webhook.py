"""What most would write instead: the same webhook with the same rows, by ORM objects (design §9).

Served as `bench._plain_webhook:app`. It looks up the endpoint, verifies the signature, and adds
notice, body, entry, key and total as objects, in one transaction.
"""

import hashlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.organisation import Organisation
from campaigns.model.total import Total
from campaigns.platforms import standard
from campaigns.platforms.base import Movement
from config import load, settings


def create() -> Flask:
    app = create_app(load())
    app.add_url_rule("/plain/<name>", view_func=post, methods=["POST"])
    return app


def post(name: str) -> tuple[dict[str, bool], int]:
    now, body = datetime.now(UTC), request.get_data()
    try:
        _take(name, body, now)
    except IntegrityError:
        # Another request made the day's total, or took the same notice, at the same moment.
        db.session.rollback()
        _take(name, body, now)
    return {"ok": True}, 200


def _take(name: str, body: bytes, now: datetime) -> None:
    endpoint = db.session.scalars(
        select(WebhookEndpoint).where(WebhookEndpoint.name == name, WebhookEndpoint.active)
    ).one()
    keys = endpoint.keys(settings().data_keys, now)
    event_id = standard.verify(dict(request.headers), body, keys, now)
    known = db.session.scalar(
        select(Notice).where(Notice.endpoint_id == endpoint.id, Notice.event_id == event_id)
    )
    if known is None:
        notice = _notice(endpoint, event_id, body, now)
        for movement in standard.movements(body, keys, now):
            _book(endpoint, notice, movement, now)
        db.session.commit()


def _notice(endpoint: WebhookEndpoint, event_id: str, body: bytes, now: datetime) -> Notice:
    notice = Notice(
        endpoint_id=endpoint.id,
        event_id=event_id,
        body_hash=hashlib.sha256(body).hexdigest(),
        headers={"webhook-id": event_id},
        received_at=now,
        verdict=Verdict.BOOKED,
    )
    notice.body = NoticeBody(content=body)
    db.session.add(notice)
    db.session.flush()
    return notice


def _book(endpoint: WebhookEndpoint, notice: Notice, movement: Movement, now: datetime) -> None:
    organisation = db.session.scalars(select(Organisation).where(Organisation.ours)).one()
    listing = db.session.get_one(Listing, endpoint.listing_id)
    keys = [(endpoint.source, key.scheme, key.value) for key in movement.keys]
    if any(db.session.get(EntryKey, key) for key in keys):
        return
    entry = Entry(
        kind=EntryKind(movement.kind),
        amount_minor=movement.amount.minor,
        currency=movement.amount.currency,
        donations=1,
        campaign_id=listing.campaign_id,
        listing_id=listing.id,
        source=endpoint.source,
        occurred_at=movement.occurred_at,
        day=movement.occurred_at.astimezone(ZoneInfo(organisation.timezone)).date(),
        booked_at=now,
        door=Door.WEBHOOK,
        notice_id=notice.id,
    )
    db.session.add(entry)
    db.session.flush()
    for source, scheme, value in keys:
        db.session.add(EntryKey(source=source, scheme=scheme, value=value, entry_id=entry.id))
    _add(entry)


def _add(entry: Entry) -> None:
    key = (entry.listing_id, entry.day, entry.kind, entry.currency, 0)
    total = db.session.get(Total, key, with_for_update=True)
    if total is None:
        total = Total(
            listing_id=entry.listing_id,
            day=entry.day,
            kind=entry.kind,
            currency=entry.currency,
            slot=0,
            amount_minor=0,
            donations=0,
            entries=0,
        )
        db.session.add(total)
    total.amount_minor += entry.amount_minor
    total.donations += 1
    total.entries += 1


app = create()
