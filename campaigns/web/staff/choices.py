"""What staff choose from in several forms: listings, by campaign and platform."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.platforms import offline
from campaigns.web import language
from campaigns.web.staff import figure, places


@dataclass(frozen=True)
class Name:
    """How a listing is called: its platform, with its number there, and its campaign's title."""

    page: str
    title: str


def names() -> dict[int, Name]:
    """Every listing by its id; the newest campaign's first."""
    return {
        listing.id: Name(_page(listing), title)
        for title, campaign in _campaigns()
        for listing in campaign.listings
    }


def listings(*, direct: bool = False) -> dict[str, str]:
    """Every listing, as its id in a form → "campaign · platform number".

    `direct`: what is given directly stands first in each campaign, by the name that `places` knows
    it by whether or not there is a listing for it yet.
    """
    offered: dict[str, str] = {}
    for title, campaign in _campaigns():
        if direct:
            offered[places.direct(campaign.id)] = f"{title} · {figure.platform(offline.NAME)}"
        for listing in campaign.listings:
            if not direct or listing.platform != offline.NAME:
                offered[str(listing.id)] = f"{title} · {_page(listing)}"
    return offered


def _campaigns() -> Iterator[tuple[str, Campaign]]:
    """Each with its title, the newest first."""
    every = select(Campaign).options(selectinload(Campaign.listings)).order_by(Campaign.id.desc())
    for campaign in db.session.scalars(every):
        yield campaign.text(language.current()).title, campaign


def _page(listing: Listing) -> str:
    """Of a number that is an address only the host; where there is no page, no number either."""
    name, number = figure.platform(listing), listing.external_id
    host = number.partition("://")[2].partition("/")[0]
    return f"{name} {host or number}" if listing.url else name
