"""Thanking: what a letter of thanks says of one gift, or of those of a day."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext

from campaigns import thanks
from campaigns.db import db
from campaigns.mail.marks import mark
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Claim
from campaigns.model.entry import Entry


class NothingLeft(Exception):
    """Every gift of the letter was given back in the moment between its claim and its writing."""


@dataclass(frozen=True, slots=True)
class Words:
    """`campaign` is the one that all its gifts were for, if there is one."""

    subject: str
    campaign: Campaign | None
    own: Mapping[str, object]


def words(claim: Claim, locale: str) -> Words:
    """What letters of one shape have in common. Raises `NothingLeft`."""
    if not _is_gathered(claim):
        about = db.session.get_one(Campaign, claim.campaign_id)
        subject = _arrived(about.text(locale).title)
        return Words(subject, about, {"amount": mark("amount"), "day": mark("day")})
    gifts = _gifts(claim)
    number, only = len(gifts), _only(gifts)
    campaign = db.session.get_one(Campaign, only) if only else None
    subject = ngettext("Your gift has arrived", "Your %(num)d gifts have arrived", number)
    if campaign and number == 1:
        subject = _arrived(campaign.text(locale).title)
    return Words(subject, campaign, {"gifts": [mark(_field(place)) for place in range(number)]})


def shape(claim: Claim) -> str:
    """What letters have in common that differ by nothing but their fields. Raises `NothingLeft`."""
    if not _is_gathered(claim):
        return claim.occasion.partition(":")[0]
    gifts = _gifts(claim)
    return f"{thanks.GATHERED}{len(gifts)}:{_only(gifts)}"


def fields(claim: Claim) -> Mapping[str, str]:
    """What one letter has to itself, in the language at hand."""
    filters = current_app.jinja_env.filters
    if _is_gathered(claim):
        return {_field(place): _line(one, claim) for place, one in enumerate(_gifts(claim))}
    if claim.entry_id is None:
        return {}
    entry = db.session.get_one(Entry, claim.entry_id)
    return {"amount": filters["money"](entry.amount), "day": filters["day"](entry.occurred_at)}


def _is_gathered(claim: Claim) -> bool:
    return claim.occasion.startswith(thanks.GATHERED)


def _gifts(claim: Claim) -> list[Entry]:
    gifts = thanks.named(claim.id)
    if not gifts:
        raise NothingLeft(f"Letter {claim.id} has no gift left to thank for.")
    return gifts


def _only(gifts: list[Entry]) -> int | None:
    """The campaign of all of them."""
    campaigns = {one.campaign_id for one in gifts}
    return campaigns.pop() if len(campaigns) == 1 else None


def _line(entry: Entry, claim: Claim) -> str:
    filters = current_app.jinja_env.filters
    campaign = db.session.get_one(Campaign, entry.campaign_id)
    return _(
        "%(amount)s to “%(campaign)s” on %(day)s",
        amount=filters["money"](entry.amount),
        campaign=campaign.text(claim.locale).title,
        day=filters["day"](entry.occurred_at),
    )


def _arrived(title: str) -> str:
    return _("Your gift to “%(campaign)s” has arrived", campaign=title)


def _field(place: int) -> str:
    return f"gift_{place + 1}"
