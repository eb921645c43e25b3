"""The books as tests look at them: what is booked, what stands there, and whether totals agree."""

from typing import Any

from sqlalchemy import func, select

from campaigns.bookings import Booking
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKey, EntryKind, MatchStage
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests.make import NOON

ALIPAY = "alipay:2088000000000001"


def booking(listing: Listing, *keys: tuple[str, str], **more: Any) -> Booking:
    given: dict[str, Any] = {
        "listing": listing,
        "kind": EntryKind.DONATION,
        "amount": Money.parse("10.50 CNY"),
        "occurred_at": NOON,
        "source": "foundation",
        "keys": tuple(Key(*key) for key in keys or (("trade", "T1"),)),
        "door": Door.WEBHOOK,
    }
    return Booking(**given | more)


def entries() -> list[Entry]:
    return list(db.session.scalars(select(Entry).order_by(Entry.id)))


def minor() -> list[int]:
    return [entry.amount_minor for entry in entries()]


def keys() -> dict[tuple[str, str], int]:
    return {(key.scheme, key.value): key.entry_id for key in db.session.scalars(select(EntryKey))}


def committed(listing: Listing) -> int:
    """The listing's id, with the test's transaction over, so that others may write."""
    listing_id = listing.id
    db.session.commit()
    return listing_id


def totals_agree() -> bool:
    """Whether totals are the sums of the entries that they are kept for."""
    by = (Entry.listing_id, Entry.day, Entry.kind, Entry.currency)
    of_entries = db.session.execute(
        select(*by, func.sum(Entry.amount_minor), func.sum(Entry.donations), func.count())
        .where(
            func.coalesce(Entry.stage, "") != MatchStage.ANNOUNCED, Entry.listing_id.is_not(None)
        )
        .group_by(*by)
    ).all()
    of_totals = db.session.execute(
        select(
            Total.listing_id,
            Total.day,
            Total.kind,
            Total.currency,
            func.sum(Total.amount_minor),
            func.sum(Total.donations),
            func.sum(Total.entries),
        ).group_by(Total.listing_id, Total.day, Total.kind, Total.currency)
    ).all()
    return set(map(tuple, of_entries)) == set(map(tuple, of_totals))


def so_far(listing: Listing, yuan: str, request: str = "RF-1", **more: Any) -> Booking:
    """A refund as Alipay's notices tell of it: how much was refunded by now."""
    given: dict[str, Any] = {
        "kind": EntryKind.REFUND,
        "amount": Money.of(yuan, listing.currency),
        "source": ALIPAY,
        "regards": "trade:T-1",
    }
    return booking(listing, ("request", request), **given | more)


def numbered() -> list[tuple[int, set[tuple[str, str]]]]:
    """The amount of each entry, and the numbers that it goes by."""
    db.session.expire_all()
    assert totals_agree()
    return [
        (entry.amount_minor, {(key.scheme, key.value) for key in entry.keys}) for entry in entries()
    ]


def amounts() -> list[int]:
    """What is booked, in minor units, once it was seen that the totals agree with it."""
    assert totals_agree()
    return minor()


def notices() -> list[Notice]:
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def verdicts() -> list[Verdict]:
    return list(db.session.scalars(select(Notice.verdict).order_by(Notice.id)))
