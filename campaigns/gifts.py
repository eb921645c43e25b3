"""Gifts: who gave and what they wish shown, what they agreed to, and one letter of thanks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table

from campaigns import donors, suppression, thanks
from campaigns.db import db, insert
from campaigns.donors import Person
from campaigns.mail.address import Address, BadAddress
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.gift import Gift, Moderation
from campaigns.model.organisation import first_language
from campaigns.money import Money
from campaigns.platforms.base import Giver, Kind, Movement
from campaigns.thanks import Owed

LONGEST_MESSAGE = 1000
GIFTS = cast(Table, Gift.__table__)


def keep(
    entry_id: int, campaign_id: int, movement: Movement, endpoint: WebhookEndpoint, now: datetime
) -> None:
    """Keep who gave, and queue the thanks; for an entry that has its gift already, nothing."""
    if movement.kind is not Kind.DONATION:
        return
    giver = movement.donor or Giver()
    of, amount = movement.occurred_at, movement.amount
    told = Told(giver, movement.message, Moderation.WAITING, thank=True, of=of, amount=amount)
    donor = record(entry_id, campaign_id, told, now)
    if donor is not None and giver.updates:
        _agree(donor, campaign_id, endpoint, now)


@dataclass(frozen=True)
class Told:
    """Who gave, as somebody says, and what may be done with it. `thank`: write to the address.

    `of` and `amount` are the gift's own; without an amount a person asked for the thanks, which go
    whatever the rule is (campaigns/thanks.py).
    """

    giver: Giver
    message: str | None
    moderation: Moderation
    thank: bool
    of: datetime | None = None
    amount: Money | None = None


def record(entry_id: int, campaign_id: int, told: Told, now: datetime) -> Donor | None:
    """Keep who gave an entry; the donor, if this made one known.

    For an entry that has its gift already, and where nothing was told, this does nothing. Of
    matched money the giver is the one who matches, to whom no letter goes.
    """
    person = _person(told.giver)
    donor = donors.at_or_new_all([person], now)[0] if person else None
    if not (donor or told.giver.name or told.message):
        return None
    row = _row(entry_id, donor, told)
    kept = insert(GIFTS).values(row).on_conflict_do_nothing().returning(GIFTS.c.entry_id)
    if db.session.execute(kept).first() is None or donor is None:
        return None
    if told.thank:
        thanks.queue_all([_owed(donor, entry_id, campaign_id, told)], now)
    return donor


def record_all(given: Sequence[tuple[int, int, Told]], now: datetime) -> None:
    """`record` for entries that were just made, each with its campaign; by four statements."""
    people = [_person(told.giver) for _, _, told in given]
    known = iter(donors.at_or_new_all([one for one in people if one], now))
    rows, owed = [], []
    for (entry_id, campaign_id, told), person in zip(given, people, strict=True):
        donor = next(known) if person else None
        if donor or told.giver.name or told.message:
            rows.append(_row(entry_id, donor, told))
        if donor and told.thank:
            owed.append(_owed(donor, entry_id, campaign_id, told))
    if rows:
        db.session.execute(GIFTS.insert(), rows)
    thanks.queue_all(owed, now)


def _row(entry_id: int, donor: Donor | None, told: Told) -> dict[str, object]:
    giver, message = told.giver, told.message
    return {
        "entry_id": entry_id,
        "donor_id": donor.id if donor else None,
        "public_name": giver.name,
        "show_name": giver.public_name,
        "message": message[:LONGEST_MESSAGE] if message else None,
        "moderation": told.moderation,
    }


def _owed(donor: Donor, entry_id: int, campaign_id: int, told: Told) -> Owed:
    locale = _locale(told.giver.locale)
    return Owed(donor, entry_id, campaign_id, locale, told.amount, told.of)


def _agree(donor: Donor, campaign_id: int, endpoint: WebhookEndpoint, now: datetime) -> None:
    suppression.agree(
        donor,
        Purpose.UPDATES,
        campaign_id,
        source=ConsentSource.WEBHOOK,
        wording=f"webhook:{endpoint.name}"[:64],
        locale=donor.locale or first_language(),
        now=now,
    )


def _person(giver: Giver) -> Person | None:
    """Who is at the address given; without one that can be written to, nobody."""
    if not giver.email:
        return None
    try:
        return Person(Address.parse(giver.email), giver.name, _locale(giver.locale))
    except BadAddress:
        return None


def _locale(given: str | None) -> str | None:
    """The language of ours that a BCP 47 tag asks for: any Chinese reads the Chinese we write."""
    return {"zh": "zh-Hans", "en": "en"}.get((given or "").replace("_", "-").split("-")[0].lower())
