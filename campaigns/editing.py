"""Editing: campaigns and their listings, as staff create and change them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import exists, func, select

from campaigns import audit, figures, pace
from campaigns.db import db
from campaigns.figures import Fall
from campaigns.model.campaign import Campaign, CampaignSlug, CampaignState, CampaignText
from campaigns.model.correction import Cause
from campaigns.model.listing import Asking, Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms import generic, offline, registry
from campaigns.platforms.base import Recognised
from campaigns.platforms.generic_how import How

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_S = CampaignState
# From a state to those that may follow it. What was public stays public: links to it are out.
NEXT: Mapping[CampaignState, tuple[CampaignState, ...]] = {
    _S.DRAFT: (_S.LIVE,),
    _S.LIVE: (_S.PAUSED, _S.ENDED),
    _S.PAUSED: (_S.LIVE, _S.ENDED),
    _S.ENDED: (_S.CLOSED, _S.LIVE),
    _S.CLOSED: (_S.ENDED,),
}


class Refused(Exception):
    """A change that cannot be made. Its text is a sentence for the person who tried."""


class BadSlug(Refused):
    """The slug is not of the form that addresses have."""


class SlugTaken(Refused):
    """Another campaign has or had this slug."""


class NoTitle(Refused):
    """A language has a text but no title, or there is no language at all."""


class BadTarget(Refused):
    """The target is nothing or less."""


class DatesReversed(Refused):
    """The campaign would end before it starts."""


class CurrencyFixed(Refused):
    """The campaign has listings, whose figures are in its currency."""


class NotNext(Refused):
    """The state does not follow the one that the campaign is in."""


class UnknownAddress(Refused):
    """No platform recognises the pasted address."""


class NobodyToAsk(Refused):
    """What is given directly is on no platform that could be asked."""


class ListingTaken(Refused):
    """The platform's page is a listing already."""


@dataclass(frozen=True)
class Words:
    """A campaign's texts in one language."""

    title: str
    summary: str = ""
    story: str = ""

    @property
    def empty(self) -> bool:
        return not (self.title or self.summary or self.story)


@dataclass(frozen=True)
class Plan:
    """Everything of a campaign that a person decides; `texts` by language, empty ones left out."""

    slug: str
    currency: str
    texts: Mapping[str, Words]
    target: Money | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    report_every_days: int | None = None
    filing_number: str | None = None
    receiving_id: int | None = None
    executing_id: int | None = None
    default_locale: str = "zh-Hans"


_PLAIN = [one.name for one in fields(Plan) if one.name not in ("texts", "target")]


def create(plan: Plan, now: datetime, by: Staff | None = None) -> Campaign:
    """A new campaign, as a draft. Raises what `Refused` stands for; the second time `SlugTaken`."""
    _check(plan)
    _check_slug(plan.slug, None)
    campaign = Campaign(created_at=now, changed_at=now)
    _set(campaign, plan)
    db.session.add(campaign)
    db.session.flush()
    db.session.add(CampaignSlug(slug=plan.slug, campaign_id=campaign.id))
    db.session.flush()
    audit.record("create campaign", campaign, now, by=by, changes={"slug": (None, plan.slug)})
    return campaign


def change(campaign: Campaign, plan: Plan, now: datetime, by: Staff | None = None) -> None:
    """Change a campaign. A former slug keeps leading to it. Twice the same records nothing new."""
    _check(plan)
    _check_slug(plan.slug, campaign.id)
    if plan.currency != campaign.currency and campaign.listings:
        raise CurrencyFixed(_("The currency is fixed since the campaign has listings."))
    changes = _changes(campaign, plan)
    if not changes:
        return
    _set(campaign, plan)
    campaign.changed_at = now
    if db.session.get(CampaignSlug, plan.slug) is None:
        db.session.add(CampaignSlug(slug=plan.slug, campaign_id=campaign.id))
    db.session.flush()
    audit.record("change campaign", campaign, now, by=by, changes=changes)
    if "ends_on" in changes:
        pace.quicken(Listing.campaign_id == campaign.id, now)


def move(campaign: Campaign, to: CampaignState, now: datetime, by: Staff | None = None) -> None:
    """Bring a campaign to another state. Raises `NotNext`; to where it is already does nothing."""
    if to is campaign.state:
        return
    if to not in NEXT[campaign.state]:
        raise NotNext(_("The campaign cannot go there from its present state. Look again."))
    before, campaign.state, campaign.changed_at = campaign.state, to, now
    if to in (_S.LIVE, _S.ENDED):
        _begin_or_end(campaign, to, now)
    audit.record("move campaign", campaign, now, by=by, changes={"state": (before, to)})


def _begin_or_end(campaign: Campaign, to: CampaignState, now: datetime) -> None:
    """Raising goes on or is over: listings are asked at another pace (campaigns/cadence.py)."""
    if to is _S.LIVE:
        campaign.ended_at = None
    elif campaign.ended_at is None:
        campaign.ended_at = now
    for listing in campaign.listings:
        if listing.asking is Asking.ASKED:
            listing.next_poll_at = now


def add_listing(
    campaign: Campaign, address: str, now: datetime, by: Staff | None = None
) -> Listing:
    """Add a listing by its pasted address, asked from now on.

    Raises `UnknownAddress`, and `ListingTaken` the second time.
    """
    found = registry.recognise(address.strip())
    if found is None:
        raise UnknownAddress(_("None of our platforms has pages at this address."))
    platform, page = found
    currency = registry.platform(platform).CURRENCY or campaign.currency
    return _add(campaign, Listing(platform=platform, currency=currency), page, now, by)


def add_page(campaign: Campaign, url: str, way: str, how: How, now: datetime, by: Staff) -> Listing:
    """Add a listing whose figure is read as `how` says; `url` is the page that donors open.

    Raises `ListingTaken` where the same place of the same address is one.
    """
    listing = Listing(platform=generic.NAME, currency=how.currency, way=way, how=how.as_json())
    return _add(campaign, listing, how.recognised(url), now, by)


def _add(
    campaign: Campaign, listing: Listing, page: Recognised, now: datetime, by: Staff | None
) -> Listing:
    platform, (external_id, url) = listing.platform, page
    if _exists(platform, external_id):
        raise ListingTaken(_("This page is a listing already."))
    listing.campaign_id = campaign.id
    listing.external_id, listing.url = external_id, url
    listing.position = _last_position(campaign) + 1
    listing.host = registry.host(platform, external_id, url, listing.way, listing.how)
    listing.next_poll_at = listing.created_at = now
    db.session.add(listing)
    db.session.flush()
    audit.record("add listing", listing, now, by=by, changes={"url": (None, url)})
    return listing


def change_rule(listing: Listing, rule: Rule, reason: str, now: datetime, by: Staff) -> None:
    """Let a listing's figure rest on another rule (design §6).

    If the published figure falls by it, a Correction says why. The second time does nothing.
    """
    if rule is listing.rule:
        return
    before, figure = listing.rule, figures.published(listing)
    listing.rule = rule
    db.session.flush()
    changes = {"rule": (before, rule), "reason": (None, reason)}
    audit.record("change rule", listing, now, by=by, changes=changes)
    figures.correct(listing, figure, Fall(Cause.RULE, reason, now, by.id))


def change_asking(listing: Listing, asking: Asking, now: datetime, by: Staff) -> None:
    """Have a listing asked, entered by hand, or taken as final. The second time does nothing.

    Raises `NobodyToAsk`.
    """
    if asking is listing.asking:
        return
    if asking is Asking.ASKED and listing.platform == offline.NAME:
        raise NobodyToAsk(_("Gifts given directly are on no platform that could be asked."))
    before, listing.asking = listing.asking, asking
    if asking is Asking.ASKED:
        listing.next_poll_at, listing.failures = now, 0
    audit.record("change asking", listing, now, by=by, changes={"asking": (before, asking)})


def by_slug(slug: str) -> Campaign | None:
    """The campaign that has or had this slug."""
    return db.session.scalar(select(Campaign).join(CampaignSlug).where(CampaignSlug.slug == slug))


def _check(plan: Plan) -> None:
    if not plan.texts or any(not words.title for words in plan.texts.values()):
        raise NoTitle(_("Write a title in at least one language, and in each that has a text."))
    if plan.target is not None and plan.target.minor <= 0:
        raise BadTarget(_("A target is more than nothing. Leave it empty for none."))
    if plan.starts_on and plan.ends_on and plan.ends_on < plan.starts_on:
        raise DatesReversed(_("The campaign would end before it starts."))


def _check_slug(slug: str, own_id: int | None) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 80:
        raise BadSlug(_("Use small letters, digits and hyphens, such as after-school."))
    known = db.session.get(CampaignSlug, slug)
    if known is not None and known.campaign_id != own_id:
        raise SlugTaken(_("Another campaign has or had this address. Choose another."))


def _set(campaign: Campaign, plan: Plan) -> None:
    for name in _PLAIN:
        setattr(campaign, name, getattr(plan, name))
    campaign.target_minor = plan.target.minor if plan.target else None
    known = {text.locale: text for text in campaign.texts}
    for locale, words in plan.texts.items():
        text = known.get(locale) or CampaignText(locale=locale)
        text.title, text.summary, text.story = words.title, words.summary, words.story
        if locale not in known:
            campaign.texts.append(text)
    campaign.texts = [text for text in campaign.texts if text.locale in plan.texts]


def _changes(campaign: Campaign, plan: Plan) -> dict[str, tuple[object, object]]:
    changes: dict[str, tuple[object, object]] = {}
    for name in (*_PLAIN, "target"):
        before, after = getattr(campaign, name), getattr(plan, name)
        if before != after:
            changes[name] = (before, after)
    written = {text.locale: text for text in campaign.texts}
    for locale in {*written, *plan.texts}:
        text, words = written.get(locale), plan.texts.get(locale)
        was = Words(text.title, text.summary, text.story) if text else None
        if was != words:
            # Which words they were is in nobody's interest; a title is enough to recognise them.
            changes[f"text {locale}"] = (was and was.title, words and words.title)
    return changes


def _exists(platform: str, external_id: str) -> bool:
    same = exists().where(Listing.platform == platform, Listing.external_id == external_id)
    return bool(db.session.scalar(select(same)))


def _last_position(campaign: Campaign) -> int:
    last = select(func.max(Listing.position)).where(Listing.campaign_id == campaign.id)
    return db.session.scalar(last) or 0
