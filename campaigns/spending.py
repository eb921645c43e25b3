"""Spending: what became of a campaign's money, and what of one gift was paid back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.imported import stands
from campaigns.money import Money

LEAVES = (EntryKind.DISBURSEMENT, EntryKind.EXPENSE)
PAID_BACK = (EntryKind.REFUND, EntryKind.CHARGEBACK)
MOST = 10


@dataclass(frozen=True)
class Spent:
    """What left for the campaign's purpose: all of it by currency, and the newest entries."""

    sums: tuple[Money, ...]
    newest: Sequence[Entry]


def of(campaign: Campaign) -> Spent:
    """What was disbursed and spent, and not taken back since."""
    left = Entry.campaign_id == campaign.id, Entry.kind.in_(LEAVES), *_stood()
    newest = select(Entry).where(*left).order_by(Entry.occurred_at.desc(), Entry.id.desc())
    return Spent(_sums(*left), db.session.scalars(newest.limit(MOST)).all())


def paid_back(gift: Entry) -> tuple[Money, ...]:
    """What of a gift was refunded or charged back, as positive sums by currency."""
    about = [f"{key.scheme}:{key.value}" for key in gift.keys]
    back = Entry.regards.in_(about), Entry.source == gift.source, Entry.kind.in_(PAID_BACK)
    return _sums(*back, *_stood())


def taken_back(gift: Entry) -> bool:
    """Whether the gift was taken out of the ledger and is counted nowhere."""
    return bool(db.session.scalar(select(exists().where(Entry.reverses == gift.id))))


def _stood() -> tuple[ColumnElement[bool], ...]:
    reversal = aliased(Entry)
    back = exists().where(reversal.reverses == Entry.id)
    return stands(), Entry.reverses.is_(None), ~back


def _sums(*which: ColumnElement[bool]) -> tuple[Money, ...]:
    """Sums of what left, which the ledger holds as negative amounts, by currency."""
    amount = -func.sum(Entry.amount_minor)
    rows = db.session.execute(
        select(Entry.currency, amount)
        .where(*which)
        .group_by(Entry.currency)
        .order_by(Entry.currency)
    )
    return tuple(Money(int(minor), currency) for currency, minor in rows)
