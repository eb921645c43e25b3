"""Segments in words: what each condition is called, and what there is to choose from."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, or_, select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.model.mailing import Mailing
from campaigns.model.segment import Conditions, Definition, Role
from campaigns.money import Money
from campaigns.web import format as written
from campaigns.web import language
from campaigns.web.staff import figure, sendings
from campaigns.web.staff.forms import LANGUAGES

ROLES = {
    "": _l("gave or follows"),
    Role.GAVE.value: _l("gave"),
    Role.FOLLOWS.value: _l("follows without having given"),
}
# How many mailings can be chosen from, the newest.
MAILINGS = 30
Pairs = list[tuple[str, str]]


def of(definition: Mapping[str, Any]) -> tuple[Pairs, Pairs]:
    """What is asked of whom it means, and of whom it leaves out, each as (what, how)."""
    read = Definition.read(definition)
    return _said(read.include), _said(read.exclude)


def campaigns() -> dict[int, str]:
    """Titles of all campaigns, the newest first."""
    every = db.session.scalars(select(Campaign).order_by(Campaign.id.desc()))
    return {one.id: one.text(language.current()).title for one in every}


def platforms() -> dict[str, str]:
    names = db.session.scalars(select(Listing.platform).distinct().order_by(Listing.platform))
    return {name: figure.platform(name) for name in names}


def mailings(also: Collection[int] = ()) -> dict[int, str]:
    """Subjects of the mailings that went out last, and of those in `also`."""
    newest = select(Mailing.id).where(Mailing.started_at.is_not(None))
    newest = newest.order_by(Mailing.started_at.desc(), Mailing.id.desc()).limit(MAILINGS)
    meant = select(Mailing).where(or_(Mailing.id.in_(newest), Mailing.id.in_(also)))
    rows = db.session.scalars(meant.order_by(Mailing.id.desc()))
    return {one.id: f"{sendings.subject(one)} · {written.day(one.started_at)}" for one in rows}


def currencies() -> list[str]:
    """In which listings raise, the most frequent first."""
    used = select(Listing.currency).group_by(Listing.currency)
    ordered = used.order_by(func.count().desc(), Listing.currency)
    return list(db.session.scalars(ordered)) or ["CNY"]


def _said(c: Conditions) -> Pairs:
    said: Pairs = []
    if c.role:
        said.append((_("Gave or follows"), str(ROLES[c.role.value])))
    if c.campaigns:
        said.append((_("Campaigns"), _named(c.campaigns, campaigns())))
    if c.platforms:
        said.append((_("Platforms"), _named(c.platforms, platforms())))
    said += _about_gifts(c)
    if c.languages:
        said.append((_("Language"), _named(c.languages, LANGUAGES)))
    if c.places:
        said.append((_("Place"), " · ".join(c.places)))
    if c.tags:
        said.append((_("Tags"), " · ".join(c.tags)))
    if c.mailings:
        said.append((_("Received the mailing"), _named(c.mailings, mailings(c.mailings))))
    return said


def _about_gifts(c: Conditions) -> Pairs:
    asked = (
        (_("Number of gifts"), [_number(bound) for bound in c.count]),
        (_("Each gift"), [_amount(bound, c.currency) for bound in c.size]),
        (_("All gifts together"), [_amount(bound, c.currency) for bound in c.total]),
        (_("First gift"), [bound and written.day(bound) for bound in c.first]),
        (_("Last gift"), [bound and written.day(bound) for bound in c.last]),
    )
    said = [(what, _between(*bounds)) for what, bounds in asked if any(bounds)]
    if c.lapsed is not None:
        said.append(
            (
                _("Last gift"),
                ngettext("more than one day ago", "more than %(num)d days ago", c.lapsed),
            )
        )
    return said


def _between(start: str | None, end: str | None) -> str:
    if start and end:
        return _("%(start)s to %(end)s", start=start, end=end)
    return _("from %(start)s", start=start) if start else _("up to %(end)s", end=end)


def _number(bound: int | None) -> str | None:
    return None if bound is None else written.count(bound)


def _amount(bound: int | None, currency: str | None) -> str | None:
    return None if bound is None else written.money(Money(bound, currency or currencies()[0]))


def _named(chosen: Sequence[Any], names: Mapping[Any, Any]) -> str:
    return " · ".join(str(names.get(one, one)) for one in chosen)
