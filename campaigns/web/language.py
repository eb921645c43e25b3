"""Which language a page speaks: the address's on public pages, their own for staff."""

import io
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale, refresh

from config import LOCALES, settings

# What stands in front of a public address in a language that is not the default one.
PREFIXES = {"zh-Hans": "zh", "en": "en"}
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

babel = Babel()  # type: ignore[no-untyped-call]


class Catalogues(Domain):
    """The texts read straight from their .po files, so that no build step can be forgotten."""

    def get_translations(self) -> NullTranslations:
        return _texts(str(get_locale()))


def init_app(app: Flask) -> None:
    """Make `gettext` and the page's `lang` follow the language of each request."""
    babel.init_app(  # type: ignore[no-untyped-call]
        app,
        default_locale=underscored(app.extensions["settings"].default_locale),
        default_timezone=app.extensions["settings"].default_timezone,
        locale_selector=lambda: underscored(current()),
        timezone_selector=lambda: getattr(g, "timezone", None),
    )
    babel.domain_instance = Catalogues()  # type: ignore[no-untyped-call]
    app.before_request(_by_address)


def current() -> str:
    """The BCP 47 tag of the language that this request speaks: "zh-Hans" or "en"."""
    chosen = getattr(g, "locale", None) if has_request_context() else None
    return chosen if chosen in LOCALES else settings().default_locale


def speak(locale: str | None, timezone: str | None = None) -> None:
    """From here on this request speaks `locale` (None: the default) and writes moments in
    `timezone` (None: the default)."""
    g.locale, g.timezone = locale, timezone
    refresh()  # type: ignore[no-untyped-call]


def by_prefix(prefix: str | None) -> str | None:
    """The language of an address's first part: "en" → "en", "zh" → "zh-Hans", others → None."""
    return next((locale for locale, known in PREFIXES.items() if known == prefix), None)


def underscored(tag: str) -> str:
    """Babel's spelling of a tag: "zh_Hans"."""
    return str(Locale.parse(tag, sep="-"))


def _by_address() -> None:
    # Before any view, so that the error pages of an address speak its language too.
    speak(by_prefix(request.path.split("/", 2)[1] if "/" in request.path else None))


@cache
def _texts(locale: str) -> NullTranslations:
    file = CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
    if not file.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Translations(compiled)
