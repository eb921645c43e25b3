"""Gifts that can be claimed, and the links of letters about them."""

from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import ledger
from campaigns.bookings import Booking
from campaigns.crypto import new_token, token_hash
from campaigns.db import db
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.entry import Door, Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.listing import Listing
from campaigns.money import Money
from campaigns.platforms.base import Key
from tests import make
from tests.make import NOON

NUMBER = "2026112200001"
FORM = "/en/c/after-school/gift"


def gift(
    of: Listing, number: str = NUMBER, *, scheme: str = "trade", source: str = "shop",
    kind: EntryKind = EntryKind.DONATION, amount: str = "66.00", **more: object,
) -> Entry:  # fmt: skip
    """An entry that was booked under a number."""
    booking = Booking(
        listing=of,
        kind=kind,
        amount=Money.parse(f"{amount} CNY"),
        occurred_at=NOON,
        source=source,
        keys=(Key(scheme, number),),
        door=Door.WEBHOOK,
        **more,  # type: ignore[arg-type]
    )
    entry_id = ledger.book(booking, NOON).entry_id
    db.session.commit()
    return db.session.get_one(Entry, entry_id)


def given_by(entry: Entry, address: str, **more: object) -> Gift:
    """The gift as its giver's, whose address the platform told."""
    row = Gift(entry_id=entry.id, donor_id=make.donor(address).id, moderation=Moderation.WAITING)
    for name, value in more.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row


def link(ago: timedelta = timedelta()) -> str:
    """The address in the newest letter's button, as if it had gone out some time ago."""
    letter = db.session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)).one()
    token = new_token()
    letter.token_hash, letter.state = token_hash(token), DeliveryState.SENT
    letter.settled_at = datetime.now(UTC) - ago
    db.session.commit()
    return f"/gift/{token}"


def ask(client: FlaskClient, number: str = NUMBER, email: str = "ada@example.org") -> TestResponse:
    """Fill in the form of the campaign "after-school"."""
    data = {"number": number, "email": email}
    return client.post(FORM, data=data, headers={"Origin": "http://localhost"})


def claimed(client: FlaskClient) -> str:
    """The page of a gift, once it was claimed."""
    ask(client)
    at = link()
    client.post(at)
    return at
