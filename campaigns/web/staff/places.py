"""Where money entered by hand can belong, and by what account it can have come, as forms ask."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import byhand, given_directly
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.platforms import offline
from campaigns.web.staff.session import me

# What stands before a campaign's id where gifts given directly to it are meant. It means the same
# before and after there is a listing for them, so that a form can be sent twice.
DIRECT = "direct-"


def direct(campaign_id: int) -> str:
    """How a form calls what is given directly to a campaign."""
    return f"{DIRECT}{campaign_id}"


def named(listing: Listing) -> str:
    """How a form calls a listing."""
    is_direct = listing.platform == offline.NAME
    return direct(listing.campaign_id) if is_direct else str(listing.id)


def listing(chosen: str, now: datetime) -> Listing:
    """The listing of one of `choices.listings`; that of direct gifts is made when first meant."""
    if chosen.startswith(DIRECT):
        campaign = db.session.get_one(Campaign, int(chosen.removeprefix(DIRECT)))
        return given_directly.listing(campaign, now, me())
    return db.session.get_one(Listing, int(chosen))


def campaign_id(chosen: str) -> int:
    """The campaign of one of `choices.listings`."""
    if chosen.startswith(DIRECT):
        return int(chosen.removeprefix(DIRECT))
    return db.session.get_one(Listing, int(chosen)).campaign_id


def sources() -> dict[str, str]:
    """Accounts: ours, and those that webhooks and bills bring numbers from."""
    names = db.session.scalars(select(WebhookEndpoint.source).distinct())
    others = sorted(set(names) - {byhand.SOURCE})
    return {byhand.SOURCE: _("our own"), **{name: name for name in others}}
