"""Gifts: who gave and what they wish shown, what they agreed to, and one letter of thanks."""

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
    donor = _donor(giver, now)
    if not (donor or giver.name or movement.message):
        return
    if not _enter(entry_id, donor, giver, movement.message) or donor is None:
        return
    letters.queue(
        LetterKind.THANKS,
        to=donor,
        purpose=Purpose.RECEIPTS,
        occasion=f"entry:{entry_id}",
        locale=_locale(giver.locale),
        now=now,
        campaign_id=campaign_id,
        entry_id=entry_id,
    )
    if giver.updates:
        _agree(donor, campaign_id, endpoint, now)


def _enter(entry_id: int, donor: Donor | None, giver: Giver, message: str | None) -> bool:
    """False if the entry has its gift already."""
    kept = db.session.execute(
        insert(GIFTS)
        .values(
            entry_id=entry_id,
            donor_id=donor.id if donor else None,
            public_name=giver.name,
            show_name=giver.public_name,
            message=message[:LONGEST_MESSAGE] if message else None,
            moderation=Moderation.WAITING,
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
