"""The effect of a change on public figures, found by making the change and undoing it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from campaigns import progress
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.money import Money
from campaigns.web import language
from campaigns.web.staff import figure


@dataclass(frozen=True)
class Row:
    """One public figure as it is and as it would be; None before there is any."""

    name: str
    before: Money | None
    after: Money | None
    campaign: bool = False

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def falls(self) -> bool:
        return self.before is not None and self.after is not None and self.after < self.before


Figures = dict[tuple[int, int], tuple[str, Money | None]]


def of(change: Callable[[], object], campaign_ids: set[int], now: datetime) -> list[Row]:
    """Every public figure of these campaigns, before and after a change that is not made.

    Rolls the transaction back, also where `change` raises.
    """
    try:
        before = _figures(campaign_ids, now)
        change()
        db.session.flush()
        after = _figures(campaign_ids, now)
    finally:
        db.session.rollback()
    return [
        Row(name, before.get(key, (name, None))[1], amount, campaign=key[1] == 0)
        for key, (name, amount) in after.items()
    ]


def _figures(
    campaign_ids: set[int], now: datetime
) -> dict[tuple[int, int], tuple[str, Money | None]]:
    """By (campaign, listing or 0 for the campaign's own): what it is called, and how much it is."""
    chosen = select(Campaign).where(Campaign.id.in_(campaign_ids)).order_by(Campaign.id)
    found: Figures = {}
    for one in progress.many(db.session.scalars(chosen).all(), now):
        title = one.campaign.text(language.current()).title
        found[one.campaign.id, 0] = (title, one.raised if one.as_of else None)
        for part in one.listings:
            name = figure.platform(part.listing)
            found[one.campaign.id, part.listing.id] = (name, part.raised)
    return found
