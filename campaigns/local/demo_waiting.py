"""What waits for the demo's treasurer: a gap to explain, and a donor who may be there twice."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from campaigns import donors
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.mail.address import Address
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.report import Origin, Report, ReportState

DAYS = 6


def play(foundation: Listing, now: datetime) -> None:
    """The foundation reports what donors gave it, without the match that came two days ago; and
    somebody writes from a second address under a name that is known."""
    for day in range(DAYS, 0, -1):
        moment = now - timedelta(days=day, minutes=10)
        db.session.add(_report(foundation, moment))
    # Told of on the next day, so that a visitor sees it at once.
    foundation.tolerance_days = 0
    name, locale, *_ = texts.DONORS[0]
    donors.at_or_new(Address.parse("donor0@elsewhere.example.org"), name, locale, now)


def _report(foundation: Listing, moment: datetime) -> Report:
    given, gifts = db.session.execute(
        select(func.coalesce(func.sum(Entry.amount_minor), 0), func.count()).where(
            Entry.listing_id == foundation.id,
            Entry.kind == EntryKind.DONATION,
            Entry.occurred_at <= moment,
        )
    ).one()
    return Report(
        listing_id=foundation.id,
        moment=moment,
        received_at=moment,
        raised_minor=int(given),
        currency=foundation.currency,
        donations=gifts,
        origin=Origin.ASKED,
        state=ReportState.ACCEPTED,
    )
