"""What staff choose from in several forms: listings, by campaign and platform."""

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.web import language
from campaigns.web.staff import figure


def listings() -> dict[str, str]:
    """Every listing, as its id in a form → "campaign · platform number"; newest campaign first."""
    rows = db.session.execute(
        select(Listing, Campaign)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .order_by(Campaign.id.desc(), Listing.position, Listing.id)
    ).all()
    return {
        str(listing.id): " · ".join(
            (
                campaign.text(language.current()).title,
                figure.platform(listing.platform)
                + (f" {listing.external_id}" if listing.url else ""),
            )
        )
        for listing, campaign in rows
    }
