"""A rehearsal: a sample goes the way of a real post, and is taken back before anybody sees it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from campaigns import intake, notices
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.money import Money
from campaigns.notices import Came, Outcome
from campaigns.platforms import registry
from campaigns.platforms.base import BadKeys, NoticeError
from config import settings


@dataclass(frozen=True)
class Rehearsed:
    """What would have become of it: where it would have been booked, and the amount.

    `refused` is why it would not have been taken at all. `borrowed`: it was signed by a key made
    for it, since only the sender has the endpoint's private key.
    """

    outcome: Outcome | None = None
    booked: tuple[tuple[int | None, Money], ...] = ()
    refused: str | None = None
    borrowed: bool = False


def of(endpoint: WebhookEndpoint, now: datetime) -> Rehearsed:
    """Verify, read, keep and book a sample, then undo all of it. Ends the transaction."""
    try:
        return _of(endpoint, now)
    except BadKeys as error:
        return Rehearsed(refused=error.reason)
    except NoticeError as error:
        return Rehearsed(refused=str(error))
    finally:
        db.session.rollback()


def _of(endpoint: WebhookEndpoint, now: datetime) -> Rehearsed:
    scheme = registry.scheme(endpoint.scheme)
    keys = endpoint.keys(settings().data_keys, now)
    scheme.check(keys)
    sample = scheme.sample(keys, now)
    event_id = scheme.verify(sample.headers, sample.body, sample.keys, now)
    movements = scheme.movements(sample.body, sample.keys, now)
    kept = notices.take(endpoint, Came(event_id, sample.body, sample.headers, now))
    outcome = intake.book(kept.notice_id, endpoint, movements, now)
    entries = db.session.scalars(select(Entry).where(Entry.notice_id == kept.notice_id))
    return Rehearsed(
        outcome=outcome,
        booked=tuple((entry.listing_id, entry.amount) for entry in entries),
        borrowed=sample.keys is not keys,
    )
