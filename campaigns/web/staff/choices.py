"""What staff choose from in several forms: listings, by campaign and platform."""

from dataclasses import dataclass

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.web import language
from campaigns.web.staff import figure


@dataclass(frozen=True)
class Name:
    """How a listing is called: its platform, with its number there, and its campaign's title."""

    page: str
    title: str


def names() -> dict[int, Name]:
    """Every listing by its id; the newest campaign's first."""
    rows = db.session.execute(
        select(Listing, Campaign)
        .join(Campaign, Campaign.id == Listing.campaign_id)
        .order_by(Campaign.id.desc(), Listing.position, Listing.id)
    ).all()
    return {
        listing.id: Name(_page(listing), campaign.text(language.current()).title)
        for listing, campaign in rows
    }


def listings() -> dict[str, str]:
    """Every listing, as its id in a form → "campaign · platform number"."""
    return {str(id): f"{name.title} · {name.page}" for id, name in names().items()}


def _page(listing: Listing) -> str:
    """Of a number that is an address only the host; where there is no page, no number either."""
    name, number = figure.platform(listing.platform), listing.external_id
    host = number.partition("://")[2].partition("/")[0]
    return f"{name} {host or number}" if listing.url else name
