"""Proofreading: what is wrong with a text before anybody is asked to approve it.

Nothing is asked of other servers: an address is judged by how it is written, and one of our own by
whether the page is there.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import HTTPException

from campaigns import blocks, composition, drafted_words, pictures, text
from campaigns.composition import Preview
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.campaign import CampaignSlug
from campaigns.model.update import Update, UpdateText
from config import LOCALES, settings

# Gmail cuts a message at 102 KB and hides the link for leaving with the rest.
LARGEST_LETTER = 100 * 1024
# Octets of one image of ours; ours are made small already, so few reach this.
HEAVY, TOO_HEAVY = 512 * 1024, 1536 * 1024
# Columns, of which a Chinese character takes two: phones show about so many, then less.
WIDE_SUBJECT, WIDEST_SUBJECT = 70, 140
# What looks like a link and is none: a space between, brackets of the other width or left open.
_UNMADE = re.compile(r"\[[^\[\]\n]{1,200}\](?:\(|\s?[(（]\s*(?:https?:|www\.|/))\S{0,80}")
_NOWHERE = re.compile(r"\[([^\[\]\n]{0,200})\]\([ \t]*\)")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}")


@dataclass(frozen=True, slots=True)
class Finding:
    """`says` is a sentence for who wrote it; a `grave` one keeps it from being submitted."""

    locale: str
    says: str
    grave: bool = False


def of(update: Update, now: datetime) -> list[Finding]:
    """What is to be said about an update's texts, what is grave first. Needs an app."""
    found = [*_languages(update)]
    for written in update.texts:
        if written.title.strip() and written.body.strip():
            found += _of_one(update, written, now)
    return sorted(found, key=lambda one: not one.grave)


def grave(update: Update, now: datetime) -> Finding | None:
    """The first thing that keeps an update from being submitted; None where nothing does."""
    return next((one for one in of(update, now) if one.grave), None)


def _languages(update: Update) -> Iterator[Finding]:
    texts = {written.locale: written for written in update.texts}
    for locale in LOCALES:
        written = texts.get(locale)
        if written is None:
            yield Finding(locale, _("Nobody has written this language. Its readers get the other."))
        elif not written.body.strip():
            yield Finding(locale, _("There is a title and no text."), grave=True)


def _of_one(update: Update, written: UpdateText, now: datetime) -> Iterator[Finding]:
    locale = written.locale
    words = (written.title, written.body)
    letter = composition.preview(update, words, locale, now)
    body = blocks.live(update.campaign_id, now).body(written.body, locale)
    seen = _Seen(locale)
    seen.feed(str(text.html(body)))
    seen.close()
    yield from _subject(letter, locale)
    for match in _NOWHERE.finditer(written.body):
        says = _("The link “%(words)s” leads nowhere.", words=match[1])
        yield Finding(locale, says, grave=True)
    yield from seen.found
    if undone := drafted_words.undone(written.body):
        says = ngettext(
            "A line with ✎ asks for what only you know. Write it, or delete the line.",
            "%(num)d lines with ✎ ask for what only you know. Write them, or delete the lines.",
            undone,
        )
        yield Finding(locale, says, grave=True)
    if letter.octets > LARGEST_LETTER:
        size = _("The letter has %(size)s KB. Over %(most)s KB mail programs cut it off.",
                 size=-(-letter.octets // 1024), most=LARGEST_LETTER // 1024)  # fmt: skip
        yield Finding(locale, size, grave=True)


def _subject(letter: Preview, locale: str) -> Iterator[Finding]:
    columns = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in letter.subject)
    if columns > WIDE_SUBJECT:
        says = _("The title is long. On a phone only its beginning shows as the subject.")
        yield Finding(locale, says, grave=columns > WIDEST_SUBJECT)


class _Seen(HTMLParser):
    """Collects in `found` what is wrong with the links and images of our own sanitised HTML."""

    def __init__(self, locale: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Finding] = []
        self._locale = locale
        self._dead: list[str] | None = None
        self._code = 0
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self._link(given.get("href"))
        elif tag in ("code", "pre"):
            self._code += 1
        elif tag == "img":
            self._image(given.get("src") or "", given.get("alt") or "")

    def handle_data(self, data: str) -> None:
        if self._dead is not None:
            self._dead.append(data)
        if not self._code:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._dead is not None:
            words = "".join(self._dead)
            self._say(_("The link “%(words)s” leads nowhere.", words=words), grave=True)
            self._dead = None
        elif tag in ("code", "pre"):
            self._code -= 1

    def close(self) -> None:
        super().close()
        for match in _UNMADE.finditer("".join(self._words)):
            says = _("“%(words)s” is no link yet. Write [words](https://address).", words=match[0])
            self._say(says, grave=True)

    def _link(self, address: str | None) -> None:
        if address is None:
            # The sanitiser took out what no letter may carry, such as javascript:.
            self._dead = []
        elif not _leads_somewhere(address):
            says = _("No page stands at %(address)s.", address=_legible(address))
            self._say(says, grave=True)

    def _image(self, address: str, alt: str) -> None:
        if not alt.strip():
            self._say(_("An image has no words for those who do not see it. Write ![what it shows]"
                        "(address)."), grave=True)  # fmt: skip
        if not _leads_somewhere(address):
            says = _("There is no image at %(address)s.", address=_legible(address))
            self._say(says, grave=True)
        elif _is_ours(address):
            self._weigh(address)
        else:
            shown = _legible(address)
            says = _(
                "The image at %(address)s stands on another server, which learns who opens the "
                "letter; our pages do not show it.",
                address=shown,
            )
            self._say(says)

    def _weigh(self, address: str) -> None:
        image = pictures.at(urlsplit(address).path)
        if image is not None and image.size > HEAVY:
            says = _("“%(picture)s” has %(size)s KB. On a telephone it comes slowly.",
                     picture=image.alt, size=-(-image.size // 1024))  # fmt: skip
            self._say(says, grave=image.size > TOO_HEAVY)

    def _say(self, says: str, *, grave: bool = False) -> None:
        self.found.append(Finding(self._locale, says, grave=grave))


def _leads_somewhere(address: str) -> bool:
    try:
        parts = urlsplit(address)
        if parts.scheme == "mailto":
            return bool(Address.parse(unquote(parts.path)))
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if _is_ours(address):
        return _stands_here(unquote(parts.path) or "/")
    return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(host))


def _is_ours(address: str) -> bool:
    base = settings().base_url
    return address == base or address.startswith((f"{base}/", f"{base}?", f"{base}#"))


def _stands_here(path: str) -> bool:
    """Whether the public finds a page there; of a campaign only if there is such a campaign."""
    try:
        endpoint, values = current_app.url_map.bind("").match(path, "GET")
    except HTTPException:
        return False
    if endpoint == "static" or endpoint.startswith("staff."):
        return False
    if endpoint == "pictures.one":
        return pictures.at(path) is not None
    slug = values.get("slug")
    return slug is None or db.session.get(CampaignSlug, slug) is not None


def _legible(address: str) -> str:
    return unquote(address)[:200]
