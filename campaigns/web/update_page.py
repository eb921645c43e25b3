"""What the pages of a campaign's updates show: one by itself, and all of them."""

from datetime import datetime
from typing import Any

from flask import abort
from flask_babel import gettext as _
from sqlalchemy import Select

from campaigns import archive, progress
from campaigns.archive import Page
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.update import Update
from campaigns.web import campaign_page, entries, format, language, site, standing


def of(campaign: Campaign, update: Update, now: datetime) -> dict[str, Any]:
    """Everything that `public/update.html` asks of `page`."""
    told = archive.told([update], language.current(), now)[0]
    shown = entries.whole(told)
    updates = archive.published(now, campaign)
    newer = updates.where(Update.published_at > update.published_at)
    older = updates.where(Update.published_at < update.published_at)
    return {
        **shown,
        **site.page(
            told.title, "public.update", shown["excerpt"] or None, slug=campaign.slug, id=told.id
        ),
        "kind": "article",
        "published": format.iso(told.at),
        "campaign": standing.card(progress.of(campaign, now)),
        "newer": link(newer.order_by(None).order_by(Update.published_at, Update.id), now),
        "older": link(older, now),
        "all_url": site.address("public.updates", slug=campaign.slug),
        "follow": campaign_page.follow_form(campaign),
        "feed": entries.feed(campaign),
        "draft": False,
    }


def of_all(campaign: Campaign, number: int, now: datetime) -> dict[str, Any]:
    """Everything that `public/updates.html` asks of `page`: page `number` of the updates."""
    found = archive.page(archive.published(now, campaign), number, language.current(), now)
    if found is None:
        abort(404)
    title = campaign.text(language.current()).title
    return {
        **site.page(
            _("Updates about “%(campaign)s”", campaign=title),
            "public.updates",
            slug=campaign.slug,
            **numbered(number),
        ),
        "campaign": {
            "title": title,
            "url": site.address("public.campaign", slug=campaign.slug),
        },
        "updates": [entries.line(told) for told in found.told],
        "place": place(found, "public.updates", slug=campaign.slug) if found.last > 1 else None,
        "follow": campaign_page.follow_form(campaign),
        "feed": entries.feed(campaign),
    }


def numbered(number: int) -> dict[str, Any]:
    """What an address says of a page; nothing of the first."""
    return {"number": number} if number > 1 else {}


def place(found: Page, endpoint: str, **values: Any) -> dict[str, Any]:
    """Where among all pages of an archive this one is, for the pager."""

    def url(number: int) -> str:
        return site.address(endpoint, **values, **numbered(number))

    return {
        "first": found.first_place,
        "last": found.first_place + len(found.told) - 1,
        "total": found.total,
        "before": url(found.number - 1) if found.number > 1 else None,
        "after": url(found.number + 1) if found.number < found.last else None,
    }


def link(updates: Select[Update], now: datetime) -> dict[str, str] | None:
    """The title and address of the first of these, if there is one."""
    update = db.session.scalar(updates.limit(1))
    if update is None:
        return None
    told = archive.told([update], language.current(), now)[0]
    return {"title": told.title, "url": entries.address(told)}
