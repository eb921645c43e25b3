"""Given directly: where a campaign's gifts that came through no platform belong."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from campaigns import audit
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.staff import Staff
from campaigns.platforms import offline


def listing(campaign: Campaign, now: datetime, by: Staff) -> Listing:
    """The listing of a campaign's gifts that came through no platform; made when first needed."""
    found = _offline(campaign)
    if found is not None:
        return found
    last = select(func.max(Listing.position)).where(Listing.campaign_id == campaign.id)
    made = Listing(
        campaign_id=campaign.id,
        platform=offline.NAME,
        external_id=f"offline-{campaign.id}",
        url="",
        currency=campaign.currency,
        rule=Rule.ITEMISED,
        asking=Asking.BY_HAND,
        position=(db.session.scalar(last) or 0) + 1,
        created_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        # Somebody else needed it at this moment.
        found = _offline(campaign)
        if found is None:
            raise
        return found
    audit.record("add listing", made, now, by=by, changes={"platform": (None, offline.NAME)})
    return made


def _offline(campaign: Campaign) -> Listing | None:
    return db.session.scalar(
        select(Listing).where(Listing.campaign_id == campaign.id, Listing.platform == offline.NAME)
    )
