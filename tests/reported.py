"""What platforms report and doors book of a listing, and the figure that follows."""

from datetime import datetime
from itertools import count
from typing import Any

from campaigns import ledger, progress
from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.model.report import Report, ReportState
from campaigns.money import Money
from campaigns.platforms.base import Key
from campaigns.progress import Figure
from tests.make import NOON

numbers = count(1)


def report(of: Listing, raised: str, moment: datetime = NOON, **more: Any) -> Report:
    money = Money.parse(raised)
    row = Report(
        listing_id=of.id,
        moment=moment,
        received_at=moment,
        raised_minor=money.minor,
        currency=money.currency,
        state=ReportState.ACCEPTED,
    )
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row


def booked(of: Listing, amount: str, at: datetime = NOON, kind: str = "donation") -> None:
    booking = Booking(
        listing=of,
        kind=EntryKind(kind),
        amount=Money.parse(amount),
        occurred_at=at,
        source="test",
        keys=(Key("trade", str(next(numbers))),),
        door=Door.FILE,
        stage=MatchStage.CONFIRMED if kind == "match" else None,
    )
    ledger.book(booking, at)
    db.session.commit()


def raised(campaign: Campaign, now: datetime = NOON) -> str:
    return str(progress.of(campaign, now).raised)


def figure(listing: Listing, now: datetime = NOON) -> Figure:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    return next(one for one in progress.of(campaign, now).listings if one.listing is listing)
