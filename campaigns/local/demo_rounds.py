"""The demo's figures by hand: two pages that nobody asks, and whose figures are due."""

from datetime import datetime, timedelta

from campaigns import reporting
from campaigns.db import db
from campaigns.local import demo_listings
from campaigns.local import demo_texts as texts
from campaigns.local.script import BY_HAND
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Asking, Listing, PollFailure, Told
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms import generic
from campaigns.platforms.base import N_, Reading, detailed
from campaigns.platforms.generic_how import PAGE, How

READ = timedelta(days=2)


def enter(live: Campaign, by: Staff, now: datetime) -> None:
    """One that staff chose to read, and one whose platform refused a question yesterday."""
    entered, refused = (
        _listing(live, path, name, position, now)
        for position, (path, name) in enumerate(zip(BY_HAND, texts.BY_HAND, strict=True), start=4)
    )
    refused.asking, refused.told = Asking.REFUSED, Told.REFUSED
    refused.asked_at = now - timedelta(days=1, hours=1)
    said = detailed(N_("The platform refuses to answer us"), 403)
    db.session.add(
        PollFailure(listing_id=refused.id, at=refused.asked_at, condition="Refused", reason=said)
    )
    for listing, raised in zip((entered, refused), BY_HAND.values(), strict=True):
        for days, percent in ((9, 70), (5, 85), (2, 97)):
            moment = now - timedelta(days=days)
            figure = Money(raised * percent // 100, listing.currency)
            reporting.enter(listing, Reading(figure, moment), moment, by)


def _listing(live: Campaign, path: str, name: str, position: int, now: datetime) -> Listing:
    page = demo_listings.give_page(path)
    how = How(page, before="Raised", name=name)
    listing = Listing(
        campaign_id=live.id,
        platform=generic.NAME,
        external_id=how.recognised(page).external_id,
        url=page,
        currency=live.currency,
        position=position,
        way=PAGE,
        how=how.as_json(),
        asking=Asking.BY_HAND,
        created_at=now - timedelta(days=demo_listings.DAYS),
    )
    db.session.add(listing)
    db.session.flush()
    return listing
