"""The site: what every public page shares, and each page's address in both languages.

The organisation's default language has the plain addresses, the other one's begin with a prefix:
`/c/after-school` and `/en/c/after-school`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, g, redirect, request, url_for
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.organisation import Organisation
from campaigns.web import language
from config import LOCALES, settings

LANGUAGES = {"zh-Hans": "中文", "en": "English"}
View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Site:
    """Whose pages these are, in the language of this request."""

    name: str
    home: str
    feed: str
    newsletter: str
    contact: str | None
    demo: bool
    about: str
    default_locale: str
    timezone: str


def in_both_languages(bp: Blueprint, rule: str, **options: Any) -> Callable[[View], View]:
    """Route a view at `rule` and, for the language that is not the default one, below a prefix.

    The prefix is taken off the view's arguments; `enter` looks at it.
    """

    def register(view: View) -> View:
        prefixes = ", ".join(language.PREFIXES.values())
        bp.add_url_rule(rule, view_func=view, **options)
        bp.add_url_rule(f"/<any({prefixes}):prefix>{rule}", view_func=view, **options)
        return view

    return register


def take_prefix(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """For a blueprint's `url_value_preprocessor`."""
    g.prefix = values.pop("prefix", None) if values else None


def enter(locale: str | None = None) -> Site:
    """Speak the language of the address, or `locale`; in the organisation's zone.

    Aborts with a redirect where the prefix is that of the default language, which has none.
    """
    ours = db.session.scalar(select(Organisation).where(Organisation.ours))
    default = ours.default_locale if ours else settings().default_locale
    timezone = ours.timezone if ours else settings().default_timezone
    asked = language.by_prefix(g.get("prefix"))
    if asked == default and request.method in ("GET", "HEAD"):
        abort(redirect(request.path.removeprefix(f"/{g.prefix}")))
    language.speak(locale or asked or default, timezone)
    g.default_locale = default
    texts = ours.text(language.current()) if ours else None
    return Site(
        name=texts.name if texts else settings().organisation_name,
        home=address("public.index"),
        feed=address("feeds.everything"),
        newsletter=address("newsletter.form"),
        contact=ours.contact if ours else None,
        demo=bool(ours and ours.demo),
        about=texts.about if texts else "",
        default_locale=default,
        timezone=timezone,
    )


def address(endpoint: str, locale: str | None = None, **values: Any) -> str:
    """The path of a public page in `locale`, by default that of this request. After `enter`."""
    locale = locale or language.current()
    prefix = None if locale == g.default_locale else language.PREFIXES[locale]
    return url_for(endpoint, prefix=prefix, **values)


def page(
    title: str, endpoint: str, description: str | None = None, **values: Any
) -> dict[str, Any]:
    """What base templates ask of a public page: title, description, its addresses."""
    other = next(locale for locale in LOCALES if locale != language.current())
    return {
        "title": title,
        "description": description,
        "url": settings().base_url + address(endpoint, **values),
        "url_is_home": endpoint == "public.index",
        "other": {
            "label": LANGUAGES[other],
            "lang": other,
            "url": address(endpoint, other, **values),
        },
    }
