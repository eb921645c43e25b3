"""Gifts: who gave and what they wish shown, what they agreed to, and one letter of thanks."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table

from campaigns import donors, letters, suppression
from campaigns.db import db, insert
from campaigns.mail.address import Address, BadAddress
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.delivery import LetterKind
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.gift import Gift, Moderation
from campaigns.model.organisation import first_language
from campaigns.platforms.base import Giver, Kind, Movement

LONGEST_MESSAGE = 1000
GIFTS = cast(Table, Gift.__table__)


def keep(
    entry_id: int, campaign_id: int, movement: Movement, endpoint: WebhookEndpoint, now: datetime
) -> None:
    """Keep who gave, and queue the thanks; for an entry that has its gift already, nothing."""
    if movement.kind is not Kind.DONATION:
        return
    giver = movement.donor or Giver()
    told = Told(giver, movement.message, Moderation.WAITING, thank=True)
    donor = record(entry_id, campaign_id, told, now)
    if donor is not None and giver.updates:
        _agree(donor, campaign_id, endpoint, now)


@dataclass(frozen=True)
class Told:
    """Who gave, as somebody says, and what may be done with it. `thank`: write to the address."""

    giver: Giver
    message: str | None
    moderation: Moderation
    thank: bool


def record(entry_id: int, campaign_id: int, told: Told, now: datetime) -> Donor | None:
    """Keep who gave an entry; the donor, if this made one known.

    For an entry that has its gift already, and where nothing was told, this does nothing. Of
    matched money the giver is the one who matches, to whom no letter goes.
    """
    donor = _donor(told.giver, now)
    if not (donor or told.giver.name or told.message):
        return None
    if not _enter(entry_id, donor, told) or donor is None:
        return None
    if told.thank:
        letters.queue(
            LetterKind.THANKS,
            to=donor,
            purpose=Purpose.RECEIPTS,
            occasion=f"entry:{entry_id}",
            locale=_locale(told.giver.locale),
            now=now,
            campaign_id=campaign_id,
            entry_id=entry_id,
        )
    return donor


def _enter(entry_id: int, donor: Donor | None, told: Told) -> bool:
    """False if the entry has its gift already."""
    giver, message = told.giver, told.message
    kept = db.session.execute(
        insert(GIFTS)
        .values(
            entry_id=entry_id,
            donor_id=donor.id if donor else None,
            public_name=giver.name,
            show_name=giver.public_name,
            message=message[:LONGEST_MESSAGE] if message else None,
            moderation=told.moderation,
        )
        .on_conflict_do_nothing()
        .returning(GIFTS.c.entry_id)
    ).first()
    return kept is not None


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


def _donor(giver: Giver, now: datetime) -> Donor | None:
    """The donor at the address given; without one that can be written to, nobody."""
    if not giver.email:
        return None
    try:
        address = Address.parse(giver.email)
    except BadAddress:
        return None
    return donors.at_or_new(address, giver.name, _locale(giver.locale), now)


def _locale(given: str | None) -> str | None:
    """The language of ours that a BCP 47 tag asks for: any Chinese reads the Chinese we write."""
    return {"zh": "zh-Hans", "en": "en"}.get((given or "").replace("_", "-").split("-")[0].lower())
