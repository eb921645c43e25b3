"""Alerts: what a letter to staff about something that needs them says, by its occasion."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import figures
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing, PollFailure
from campaigns.platforms import registry

# Those that are about a listing; the others are about a mailing.
_OF_LISTINGS = frozenset({"stale", "broken", "refused", "recovered"})


@dataclass(frozen=True)
class Subject:
    """The listing that an alert is about, as it stands while the letter is written.

    `as_of` is the moment of its last good report, `zone` the organisation's; `reason` is why the
    last question brought no figure, as rows keep it. `held`: a newer figure waits for a verdict.
    """

    platform: str
    campaign: str
    as_of: datetime | None
    zone: ZoneInfo
    reason: str | None
    held: bool


@dataclass(frozen=True)
class Alert:
    """`path` is where on the staff pages one can do something about it."""

    what: str
    title: str
    path: str
    subject: Subject | None = None


def told(occasion: str, locale: str) -> Alert:
    """The alert of an occasion, "alert:<what>:<id>" and perhaps more, in the language at hand."""
    what, id = occasion.split(":")[1:3]
    listing = db.session.get(Listing, int(id)) if what in _OF_LISTINGS else None
    if listing is None:
        return Alert(what, _("Something needs you"), "/staff/")
    subject = _subject(listing, locale)
    return Alert(what, _title(what, subject), f"/staff/listings/{listing.id}", subject)


def _subject(listing: Listing, locale: str) -> Subject:
    campaign = db.session.get_one(Campaign, listing.campaign_id)
    found = figures.of([listing])[listing.id]
    failure = db.session.scalar(
        select(PollFailure.reason)
        .where(PollFailure.listing_id == listing.id)
        .order_by(PollFailure.at.desc(), PollFailure.id.desc())
        .limit(1)
    )
    return Subject(
        platform=listing.called or str(_(registry.label(listing.platform))),
        campaign=campaign.text(locale).title,
        as_of=found.as_of,
        zone=figures.zone(),
        reason=failure,
        held=found.held is not None,
    )


def _title(what: str, subject: Subject) -> str:
    names = {"platform": subject.platform, "campaign": subject.campaign}
    if what == "stale":
        return _("No newer figure from %(platform)s: “%(campaign)s”", **names)
    if what == "broken":
        return _("No figure from %(platform)s: “%(campaign)s”", **names)
    if what == "refused":
        return _("%(platform)s refuses to be asked: “%(campaign)s”", **names)
    return _("Figures from %(platform)s again: “%(campaign)s”", **names)
