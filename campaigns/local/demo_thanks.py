"""The demo's thanks: one letter that names two gifts of today, on its way in two minutes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from campaigns import byhand
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.model.entry import EntryKind, Way
from campaigns.model.listing import Listing
from campaigns.model.organisation import THANKS_AT, Organisation, ThanksRule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver

# Clara, who gave twice.
TWICE = 2
AMOUNTS = tuple(Money(fen, "CNY") for fen in (5_000, 3_000))


def gather(listing: Listing, by: Staff, now: datetime) -> None:
    """Thanks are gathered for these two; gifts that come later are thanked for at once again."""
    ours = db.session.scalars(select(Organisation).where(Organisation.ours)).one()
    soon = (now + timedelta(minutes=2)).astimezone(ZoneInfo(ours.timezone))
    ours.thanks, ours.thanks_at = ThanksRule.GATHERED, soon.hour * 60 + soon.minute
    db.session.flush()
    name, locale, *_ = texts.DONORS[TWICE]
    giver = Giver(name=name, email=f"donor{TWICE}@example.org", locale=locale)
    for number, amount in enumerate(AMOUNTS):
        gift = Movement(
            listing=listing,
            kind=EntryKind.DONATION,
            amount=amount,
            occurred_at=now - timedelta(hours=2 - number),
            way=Way.CASH,
            giver=giver,
            thank=True,
        )
        byhand.book(gift, f"demo-form-of-thanks-{number}", now, by)
    ours.thanks, ours.thanks_at = ThanksRule.AT_ONCE, THANKS_AT
    db.session.flush()
