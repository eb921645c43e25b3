"""The demo's money by hand: a collection box, a transfer, and a match that has come further."""

from datetime import datetime, timedelta

from campaigns import byhand, matching
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.matching import Further
from campaigns.model.entry import Entry, EntryKind, MatchStage, Way
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Giver

BOX, TRANSFER, MATCH = (Money(fen, "CNY") for fen in (123_450, 200_000, 300_000))

# What the bank calls the transfer.
TRANSFER_NUMBER = "DEMO-B-17"


def enter(listing: Listing, by: Staff, now: datetime) -> None:
    """What the treasurer wrote down in the last weeks."""
    box = Movement(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=BOX,
        occurred_at=now - timedelta(days=9),
        way=Way.CASH,
        donations=37,
        note=texts.BOX,
    )
    transfer = Movement(
        listing=listing,
        kind=EntryKind.DONATION,
        amount=TRANSFER,
        occurred_at=now - timedelta(days=4),
        way=Way.BANK,
        reference=TRANSFER_NUMBER,
        giver=Giver(name=texts.DONORS[0][0], public_name=True),
    )
    byhand.book(box, "demo-form-of-the-box", box.occurred_at, by)
    byhand.book(transfer, "demo-form-of-the-transfer", transfer.occurred_at, by)
    _match(listing, by, now)


def _match(listing: Listing, by: Staff, now: datetime) -> None:
    """Announced twenty days ago, confirmed three days ago, not here yet."""
    announced, confirmed = now - timedelta(days=20), now - timedelta(days=3)
    promised = Movement(
        listing=listing,
        kind=EntryKind.MATCH,
        amount=MATCH,
        occurred_at=announced,
        way=None,
        stage=MatchStage.ANNOUNCED,
        reference="DEMO-M-2",
        giver=Giver(name=texts.MATCHER, public_name=True),
    )
    booked = byhand.book(promised, "demo-form-of-the-match", announced, by)
    entry = db.session.get_one(Entry, booked.entry_id)
    matching.advance(entry, Further(MatchStage.CONFIRMED, MATCH, confirmed), confirmed, by)
