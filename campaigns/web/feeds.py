"""Feeds: the newest updates of all campaigns with the newsletter's issues, or of one campaign.

An address speaks one language, as pages do; what was told longer ago stands on further pages.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from flask import Blueprint, Flask, Response, abort
from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from campaigns import archive, text
from campaigns.archive import Page, Told
from campaigns.crypto import derived
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.update import Update
from campaigns.web import atom, entries, language, recent, site, update_page
from campaigns.web.public import found
from campaigns.web.site import Site, in_both_languages
from config import LOCALES, settings

bp = Blueprint("feeds", __name__)
bp.url_value_preprocessor(site.take_prefix)

SUMMARY = 280  # characters
# When a feed without any entry last changed: it has to say some moment, and always the same.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a feed tells of: the endpoints of itself and of the page that says the same, what both
    have in their addresses, and when it would have changed last if it had no entry."""

    endpoint: str
    home: str
    values: dict[str, Any]
    title: str
    subtitle: str
    began: datetime

    def url(self, number: int, locale: str | None = None) -> str:
        return _whole(
            site.address(self.endpoint, locale, **self.values, **update_page.numbered(number))
        )


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/feed.atom", endpoint="everything")
@in_both_languages(bp, "/feed/<int(min=2):number>.atom", endpoint="everything")
def everything(number: int = 1) -> Response:
    """The newest updates of all campaigns and issues; further pages are those told longer ago."""
    return recent.answer(lambda: _everything(site.enter(), number))


@in_both_languages(bp, "/c/<slug>/feed.atom", endpoint="campaign")
@in_both_languages(bp, "/c/<slug>/feed/<int(min=2):number>.atom", endpoint="campaign")
def campaign(slug: str, number: int = 1) -> Response:
    """The newest updates of a campaign; further pages are those told longer ago."""
    return recent.answer(lambda: _campaign(site.enter(), slug, number))


def _everything(here: Site, number: int) -> Response:
    public = Campaign.state != CampaignState.DRAFT
    began = db.session.scalar(select(func.max(Campaign.created_at)).where(public)) or NEVER
    title = _("%(name)s: updates of all campaigns", name=here.name)
    about = Subject("feeds.everything", "public.index", {}, title, here.about, began)
    return _answer(here, about, archive.published(datetime.now(UTC)), number)


def _campaign(here: Site, slug: str, number: int) -> Response:
    one = found(slug, "feeds.campaign", **update_page.numbered(number))
    texts, values = one.text(language.current()), {"slug": one.slug}
    title = _("Updates about “%(campaign)s”", campaign=texts.title)
    about = Subject(
        "feeds.campaign", "public.campaign", values, title, texts.summary, one.created_at
    )
    return _answer(here, about, archive.published(datetime.now(UTC), one), number)


def _answer(here: Site, about: Subject, updates: Select[Update], number: int) -> Response:
    page = archive.page(updates, number, language.current(), datetime.now(UTC))
    if page is None:
        abort(404)
    feed = _feed(here, about, page)
    answer = Response(atom.document(feed), content_type=f"{atom.TYPE}; charset=utf-8")
    answer.last_modified = feed.updated
    return answer


def _feed(here: Site, about: Subject, page: Page) -> atom.Feed:
    other = next(locale for locale in LOCALES if locale != language.current())
    return atom.Feed(
        id=_id(about.endpoint, *about.values.values()),
        title=about.title,
        subtitle=about.subtitle,
        lang=language.current(),
        url=about.url(page.number),
        home=_whole(site.address(about.home, **about.values)),
        other=(other, about.url(1, other)),
        author=here.name,
        author_url=_whole(here.home),
        updated=max((told.worded_at for told in page.told), default=about.began),
        pages={rel: about.url(number) for rel, number in _further(page).items()},
        entries=[_entry(told, here) for told in page.told],
    )


def _entry(told: Told, here: Site) -> atom.Entry:
    return atom.Entry(
        id=_id("update", told.id),
        title=told.title,
        url=_whole(entries.address(told)),
        lang=told.locale,
        published=told.at,
        updated=told.worded_at,
        author=told.author or here.name,
        summary=text.excerpt(told.body, SUMMARY),
        html=str(text.html(told.body)),
        category=_category(told),
    )


def _category(told: Told) -> tuple[str, str]:
    if told.campaign is None:
        return "newsletter", _("Our newsletter")
    return told.campaign.slug, told.campaign.text(language.current()).title


def _further(page: Page) -> dict[str, int]:
    """The other pages by their relation to this one (RFC 5005 §3); none where there is but one."""
    if page.last == 1:
        return {}
    around = {"previous": page.number - 1, "next": page.number + 1}
    inside = {rel: number for rel, number in around.items() if 1 <= number <= page.last}
    return {"first": 1, **inside, "last": page.last}


def _id(*what: object) -> str:
    """A name for good, of something in this language: neither our address nor a slug is in it.

    It is made with the address pepper, which an installation never changes and restores with its
    database, so no other installation has the same names.
    """
    ours = UUID(hex=derived(settings().address_pepper, "feed", ""))
    return uuid5(ours, " ".join(map(str, (*what, language.current())))).urn


def _whole(path: str) -> str:
    return settings().base_url + path
