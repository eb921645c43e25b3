"""What the page of a campaign shows, put together for its template."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from campaigns import archive, progress, promise, text
from campaigns.db import db
from campaigns.model.campaign import RAISING, Campaign, CampaignState
from campaigns.model.correction import Correction
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import stands
from campaigns.model.organisation import Organisation
from campaigns.model.update import Update
from campaigns.progress import Progress
from campaigns.web import curves, entries, format, language, matched, site, standing
from campaigns.web.site import Site

MOST_UPDATES = 20
MOST_GIFTS = 8
MOST_CORRECTIONS = 3


def of(campaign: Campaign, here: Site, now: datetime) -> dict[str, Any]:
    """Everything that `public/campaign.html` asks of `page`, in the language of this request."""
    found = progress.of(campaign, now)
    texts = campaign.text(language.current())
    newest = db.session.scalars(archive.published(now, campaign).limit(MOST_UPDATES)).all()
    return {
        **site.page(texts.title, "public.campaign", texts.summary, slug=campaign.slug),
        **standing.summary(found),
        "summary": texts.summary,
        "days_left": _days_left(campaign, here, now),
        "donations": found.donations or None,
        "apart": found.apart,
        "listings": standing.listings(found),
        "matched": standing.matches(found, matched.of(found)),
        "curve": curves.drawn(found),
        "give": standing.ways_to_give(found),
        "promise": _promise(campaign, here, now),
        "corrections": _corrections(found),
        "story": text.html(texts.story) if texts.story else None,
        "updates": entries.timeline(archive.told(newest, language.current(), now)),
        "updates_url": site.address("public.updates", slug=campaign.slug),
        "feed": entries.feed(campaign),
        "follow": follow_form(campaign),
        "claim_url": site.address("claim.form", slug=campaign.slug),
        "gifts": _gifts(campaign),
        "executing": _name(campaign.executing),
        "receiving": _name(campaign.receiving),
        "filing": campaign.filing_number,
        "json_url": site.address("public.data", slug=campaign.slug),
    }


def follow_form(
    campaign: Campaign, email: str = "", error: str | None = None
) -> dict[str, Any] | None:
    """The form to follow a campaign; none once nothing more is expected of it."""
    if campaign.state is CampaignState.CLOSED:
        return None
    # The fragment brings people back to the form where it has to be looked at again.
    action = site.address("follow.ask", slug=campaign.slug, _anchor="follow")
    return {"action": action, "email": email, "error": error}


def _days_left(campaign: Campaign, here: Site, now: datetime) -> int | None:
    """Today counts; nothing is said once the last day is over."""
    if campaign.state is not CampaignState.LIVE or campaign.ends_on is None:
        return None
    left = (campaign.ends_on - now.astimezone(ZoneInfo(here.timezone)).date()).days + 1
    return left if left > 0 else None


def _promise(campaign: Campaign, here: Site, now: datetime) -> promise.Promise | None:
    if campaign.report_every_days is None:
        return None
    moments = select(Update.published_at).where(
        Update.campaign_id == campaign.id, Update.published_at <= now
    )
    reports = [at for at in db.session.scalars(moments.order_by(Update.published_at)) if at]
    zone = ZoneInfo(here.timezone)
    began = campaign.created_at
    if campaign.starts_on:
        began = datetime.combine(campaign.starts_on, time(), zone).astimezone(UTC)
    until = now if campaign.state in RAISING else (reports[-1] if reports else began)
    return promise.kept(campaign.report_every_days, began, reports, until)


def _corrections(found: Progress) -> list[dict[str, Any]]:
    figures = {figure.listing.id: figure for figure in found.listings}
    newest = (
        select(Correction)
        .where(Correction.listing_id.in_(figures))
        .order_by(Correction.at.desc(), Correction.id.desc())
        .limit(MOST_CORRECTIONS)
    )
    return [
        {
            "at": correction.at,
            "text": _(
                "%(platform)s, from %(before)s to %(after)s: %(reason)s",
                platform=standing.name_of(figures[correction.listing_id], found),
                before=format.money(correction.before),
                after=format.money(correction.after),
                reason=_why(correction),
            ),
        }
        for correction in db.session.scalars(newest)
    ]


def _why(correction: Correction) -> str:
    """What a person wrote stays as they wrote it."""
    return correction.reason if correction.staff_id else str(_(correction.reason))


def _gifts(campaign: Campaign) -> Sequence[dict[str, Any]]:
    """The newest donations that stand; names and messages only as their givers wish and staff
    allow (design §5 rule 11)."""
    reversal = aliased(Entry)
    newest = (
        select(Entry, Gift)
        .join(Gift, Gift.entry_id == Entry.id)
        .where(Entry.campaign_id == campaign.id, Entry.kind == EntryKind.DONATION)
        .where(stands(), Entry.amount_minor > 0)  # so is no reversal, which has an index of all
        .where(~exists().where(reversal.reverses == Entry.id))
        .order_by(Entry.id.desc())
        .limit(MOST_GIFTS)
    )
    return [
        {
            "name": gift.public_name if _may_be_named(gift) else None,
            "message": gift.message if gift.moderation is Moderation.SHOWN else None,
            "amount": entry.amount,
        }
        for entry, gift in db.session.execute(newest)
    ]


def _may_be_named(gift: Gift) -> bool:
    return gift.show_name and gift.moderation is not Moderation.HIDDEN


def _name(organisation: Organisation | None) -> str | None:
    return organisation.text(language.current()).name if organisation else None
