"""Mailings brought to where a test begins: approved, scheduled, begun."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from campaigns import addressing, mailings, segments
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.update import Update
from tests import make
from tests.make import NOON

HOUR = timedelta(hours=1)


def approved(update: Update | None = None) -> Mailing:
    update = update or make.update()
    mailing = mailings.draft(update, {"campaign": update.campaign_id}, make.staff(), NOON)
    mailings.submit(mailing, make.staff(), NOON)
    mailings.approve(mailing, make.staff(), NOON)
    return mailing


def scheduled(update: Update | None = None, at: datetime = NOON + HOUR) -> Mailing:
    mailing = approved(update)
    mailings.schedule(mailing, at, None, at - HOUR)
    db.session.commit()
    return mailing


def begin(now: datetime = NOON + HOUR) -> None:
    for mailing in addressing.due(now):
        addressing.start(mailing, segments.members(mailing.segment, now), now)
    db.session.commit()


def follower(of: Update, to: str | None = None) -> Donor:
    donor = make.donor(to)
    make.consent(donor, db.session.get(Campaign, of.campaign_id))
    return donor


def deliveries(of: Mailing) -> list[Delivery]:
    return list(
        db.session.scalars(
            select(Delivery).where(Delivery.mailing_id == of.id).order_by(Delivery.id)
        )
    )


def state(of: Mailing) -> str:
    return str(of.state)


@contextmanager
def reached_by(app: Flask, address: str) -> Iterator[None]:
    """The service at another public address, as long as the block lasts."""
    known = app.extensions["settings"]
    app.extensions["settings"] = known.__class__(**{**vars(known), "base_url": address})
    try:
        yield
    finally:
        app.extensions["settings"] = known
