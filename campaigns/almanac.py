"""The almanac: what every listing's cadence stands on, read once for many of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import lazyload

from campaigns import cadence, figures
from campaigns.cadence import Cadence
from campaigns.db import among, db
from campaigns.model.campaign import Campaign
from campaigns.model.festival import Festival
from campaigns.model.listing import Listing


class Almanac(NamedTuple):
    """Festivals and the organisation's zone, for as long as a tick lasts."""

    festivals: Sequence[Festival]
    zone: ZoneInfo


def read(now: datetime) -> Almanac:
    """The festivals to come and the organisation's zone, which later commits leave as they are."""
    festivals = cadence.coming(now)
    for festival in festivals:
        db.session.expunge(festival)
    return Almanac(festivals, figures.zone())


def cadences(listings: Iterable[Listing], by: Almanac) -> dict[int, Cadence]:
    """The cadence of each listing, by its id."""
    ids = {listing.campaign_id for listing in listings}
    if not ids:
        return {}
    rows = select(Campaign).where(among(Campaign.id, ids)).options(lazyload(Campaign.texts))
    campaigns = {campaign.id: campaign for campaign in db.session.scalars(rows)}
    return {
        listing.id: cadence.of(listing, campaigns[listing.campaign_id], by.festivals, by.zone)
        for listing in listings
    }
