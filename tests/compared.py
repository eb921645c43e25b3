"""Reports and entries of a listing in whole yuan, to be compared."""

from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns import bookings, ledger
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.money import Money
from tests import make
from tests.make import NOON

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = NOON.astimezone(SHANGHAI).date()
YUAN = 100


def report(of: Listing, yuan: int, at: datetime, **more: object) -> None:
    make.report(of, yuan * YUAN, at, **more)


def book(
    to: Listing,
    yuan: int,
    at: datetime,
    kind: EntryKind = EntryKind.DONATION,
    currency: str = "CNY",
    stage: MatchStage | None = None,
) -> Entry:
    booking = bookings.Booking(
        listing=to,
        kind=kind,
        amount=Money(yuan * YUAN, currency),
        occurred_at=at,
        source="hand",
        keys=(),
        door=Door.HAND,
        stage=stage,
    )
    entry = db.session.get_one(Entry, ledger.book(booking, at).entry_id)
    db.session.commit()
    return entry
