"""Segments: a named selection of donors, as the definition that a mailing keeps."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select, union

from campaigns import suppression
from campaigns.db import db
from campaigns.model.consent import Consent, Purpose
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.imported import stands

EVERYONE = {"everyone": True}


class UnknownSegment(ValueError):
    """The definition is of no kind that we know; the message shows its keys."""


def members(definition: Mapping[str, Any]) -> Select[int]:
    """The ids of the donors meant, as one statement, whether or not we may write to them.

    `{"campaign": id}`: who gave to the campaign or ever agreed to its updates. `{"everyone":
    true}`: all donors. Raises `UnknownSegment`.
    """
    campaign_id = _campaign(definition)
    if campaign_id is None:
        return select(Donor.id)
    gave = (
        select(Gift.donor_id)
        .join(Entry, Entry.id == Gift.entry_id)
        .where(Entry.campaign_id == campaign_id, Gift.donor_id.is_not(None), stands())
    )
    follow = select(Consent.donor_id).where(
        Consent.campaign_id == campaign_id, Consent.purpose == Purpose.UPDATES
    )
    # Whoever was merged is the person they were merged into; merges make no chains.
    person = func.coalesce(Donor.merged_into, Donor.id)
    return select(person).where(Donor.id.in_(union(gave, follow)))


def count(definition: Mapping[str, Any]) -> int:
    """How many would be written to now: consent stands, address known and not suppressed."""
    campaign_id = _campaign(definition)
    purpose = Purpose.NEWSLETTER if campaign_id is None else Purpose.UPDATES
    refusal = suppression.refusal(purpose, campaign_id)
    written_to = select(func.count(Donor.id)).where(
        Donor.id.in_(members(definition)), refusal.is_(None)
    )
    return db.session.scalar(written_to) or 0


def _campaign(definition: Mapping[str, Any]) -> int | None:
    """The campaign a definition names; None for everyone."""
    if definition == EVERYONE:
        return None
    if set(definition) == {"campaign"} and type(definition["campaign"]) is int:
        return int(definition["campaign"])
    raise UnknownSegment(f"No segment is defined by {sorted(definition)}.")
