"""Organisations: our own row, and the partners that receive or execute."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import audit
from campaigns.db import db
from campaigns.model.organisation import (
    QUIET_FROM,
    QUIET_UNTIL,
    SOFT_DAYS,
    SOFT_LIMIT,
    THANKS_AT,
    THANKS_CURRENCY,
    Organisation,
    OrganisationText,
    QuietDays,
    ThanksRule,
)
from campaigns.model.staff import Staff
from config import settings


class NoName(Exception):
    """There is no name in any language. The text is a sentence for the person who tried."""


@dataclass(frozen=True)
class Words:
    """An organisation's texts in one language; `about` is one plain paragraph."""

    name: str
    about: str = ""


@dataclass(frozen=True)
class Facts:
    """What staff decide about our organisation besides its texts."""

    default_locale: str
    timezone: str
    country: str
    sender: str | None
    reply_to: str | None
    contact: str | None
    website: str | None
    soft_limit: int = SOFT_LIMIT
    soft_days: int = SOFT_DAYS
    quiet_from: int = QUIET_FROM
    quiet_until: int = QUIET_UNTIL
    quiet_days: QuietDays = QuietDays.HOLIDAYS
    thanks: ThanksRule = ThanksRule.AT_ONCE
    thanks_at: int = THANKS_AT
    thanks_from_minor: int = 0
    thanks_currency: str = THANKS_CURRENCY
    ad_updates: bool = False
    ad_issues: bool = False
    ad_appeals: bool = False


_FACTS = [one.name for one in fields(Facts)]


def ours() -> Organisation | None:
    """Our own row; None until the first settings are kept."""
    return db.session.scalar(select(Organisation).where(Organisation.ours))


def seed() -> Organisation:
    """Our own row, made from the settings if it is not there. Twice gives the same row."""
    found = ours()
    if found is not None:
        return found
    made = Organisation(
        ours=True,
        default_locale=settings().default_locale,
        timezone=settings().default_timezone,
        sender=settings().mail_from,
    )
    made.texts = [
        OrganisationText(locale=settings().default_locale, name=settings().organisation_name)
    ]
    db.session.add(made)
    db.session.flush()
    return made


def change(facts: Facts, texts: Mapping[str, Words], now: datetime, by: Staff) -> Organisation:
    """Change our organisation. Raises `NoName`. Twice the same records nothing new."""
    row = seed()
    before = {name: getattr(row, name) for name in _FACTS}
    changes: dict[str, tuple[object, object]] = {
        _audited(name): (before[name], getattr(facts, name))
        for name in _FACTS
        if before[name] != getattr(facts, name)
    }
    for name in _FACTS:
        setattr(row, name, getattr(facts, name))
    changes |= _set(row, texts)
    db.session.flush()
    if changes:
        audit.record("change organisation", row, now, by=by, changes=changes)
    return row


def add_partner(texts: Mapping[str, Words], now: datetime, by: Staff) -> Organisation:
    """A partner that receives or executes. Each call adds one. Raises `NoName`."""
    row = Organisation(ours=False)
    _set(row, texts)
    db.session.add(row)
    db.session.flush()
    names = ", ".join(words.name for words in texts.values())
    audit.record("add partner", row, now, by=by, changes={"partner": (None, names)})
    return row


def all_of_them() -> list[Organisation]:
    """Ours first, then partners in the order they came."""
    return list(
        db.session.scalars(select(Organisation).order_by(Organisation.ours.desc(), Organisation.id))
    )


def _audited(name: str) -> str:
    # Audit records hold no addresses: of a field so called they say only that it changed.
    return f"{name}.address" if name in ("sender", "reply_to", "contact") else name


def _set(row: Organisation, texts: Mapping[str, Words]) -> dict[str, tuple[object, object]]:
    if not texts or any(not words.name.strip() for words in texts.values()):
        raise NoName(_("Write a name in at least one language."))
    known = {text.locale: text for text in row.texts}
    changes: dict[str, tuple[object, object]] = {}
    for locale, words in texts.items():
        text = known.get(locale) or OrganisationText(locale=locale, name="", about="")
        if (text.name, text.about) != (words.name, words.about):
            changes[f"text {locale}"] = (text.name, words.name)
        text.name, text.about = words.name, words.about
        if locale not in known:
            row.texts.append(text)
    row.texts = [text for text in row.texts if text.locale in texts]
    return changes
