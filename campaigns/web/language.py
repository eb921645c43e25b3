"""Which language a page speaks: the address's on public pages, their own for staff."""

from babel import Locale
from flask import Flask, g, has_request_context
from flask_babel import Babel

from config import LOCALES, settings

# What stands in front of a public address in a language that is not the default one.
PREFIXES = {"zh-Hans": "zh", "en": "en"}

babel = Babel()  # type: ignore[no-untyped-call]


def init_app(app: Flask) -> None:
    """Make `gettext` and the page's `lang` follow `g.locale` where a door set it."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    babel.init_app(  # type: ignore[no-untyped-call]
        app,
        default_locale=underscored(app.extensions["settings"].default_locale),
        default_timezone=app.extensions["settings"].default_timezone,
        locale_selector=lambda: underscored(current()),
        timezone_selector=lambda: getattr(g, "timezone", None),
    )
    app.jinja_env.globals["current_locale"] = current


def current() -> str:
    """The BCP 47 tag of the language that this request speaks: "zh-Hans" or "en"."""
    chosen = getattr(g, "locale", None) if has_request_context() else None
    return chosen if chosen in LOCALES else settings().default_locale


def underscored(tag: str) -> str:
    """Babel's spelling of a tag: "zh_Hans"."""
    return str(Locale.parse(tag, sep="-"))
