"""Updates and issues as they stand in lists and on pages of their own."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _

from campaigns import text
from campaigns.archive import Told
from campaigns.model.campaign import Campaign
from campaigns.web import language, site

EXCERPT = 160  # characters


def timeline(updates: Iterable[Told]) -> list[dict[str, Any]]:
    """Whole updates, one after the other."""
    return [whole(told) for told in updates]


def whole(told: Told) -> dict[str, Any]:
    """An update with its text, as `pieces/updates.html` asks for it."""
    return {**line(told), "body": text.html(told.body), "corrections": []}


def line(told: Told) -> dict[str, Any]:
    """An update by its title and its first words. `lang` is set where it is not the page's."""
    return {
        "title": told.title,
        "url": address(told),
        "at": told.at,
        "author": told.author,
        "excerpt": text.excerpt(told.body, EXCERPT),
        "lang": told.locale if told.locale != language.current() else None,
    }


def address(told: Told, locale: str | None = None) -> str:
    """The path of its page."""
    if told.campaign is None:
        return site.address("newsletter.issue", locale, number=told.number)
    return site.address("public.update", locale, slug=told.campaign.slug, id=told.id)


def feed(campaign: Campaign) -> dict[str, str]:
    """Where a feed reader finds the campaign's updates."""
    title = campaign.text(language.current()).title
    return {
        "title": _("Updates about “%(campaign)s”", campaign=title),
        "url": site.address("feeds.campaign", slug=campaign.slug),
    }
