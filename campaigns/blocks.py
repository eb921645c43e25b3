"""Blocks: what a text says of its campaign as things stand: names, bar, figures, milestones."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from html.parser import HTMLParser

from babel import Locale
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import figures, progress, slots, text
from campaigns.db import db
from campaigns.mail.marks import mark, names
from campaigns.model.campaign import Campaign
from campaigns.model.organisation import Organisation
from campaigns.money import Money
from campaigns.platforms import registry
from campaigns.progress import Progress
from campaigns.slots import BadSlot, Slot
from config import settings

# Per cent of its target at which a campaign has reached something.
MILESTONES = (50, 90, 100)
_FULL = 100
# Longer ones would be cut by what rows hold.
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Live:
    """Fills the texts of a campaign, or of none, with what stands at `now`.

    The figures are asked once, and only if a text has a block. What is a recipient's own stays a
    slot. Needs an app.
    """

    campaign: Campaign | None
    now: datetime

    def title(self, words: str, locale: str) -> str:
        """A title with its names filled in."""
        with force_locale(_underscored(locale)):
            return slots.filled(words, lambda slot: self._fact(slot, locale))[:_LONGEST_TITLE]

    def body(self, markdown: str, locale: str) -> str:
        """Markdown with its names and blocks filled in, each figure with its moment (rule 7)."""

        def fill(slot: Slot) -> str | None:
            if slot.field in slots.BLOCKS:
                return self._block(slot.field)
            fact = self._fact(slot, locale)
            return None if fact is None else slots.inert(fact)

        with force_locale(_underscored(locale)):
            return slots.filled(markdown, fill)

    def for_anybody(self, title: str, markdown: str, locale: str) -> tuple[str, str]:
        """Both as anybody may read them: what is a recipient's own says what it says to others."""
        title, markdown = self.title(title, locale), self.body(markdown, locale)
        with force_locale(_underscored(locale)):
            return slots.impersonal(title), slots.impersonal(markdown, slots.inert)

    def _fact(self, slot: Slot, locale: str) -> str | None:
        if slot.field == "campaign.title":
            return self.campaign.text(locale).title if self.campaign else ""
        if slot.field == "organisation.name":
            ours = db.session.scalar(select(Organisation).where(Organisation.ours))
            return ours.text(locale).name if ours else settings().organisation_name
        return None

    def _block(self, field: str) -> str:
        """As HTML, which Markdown leaves as it is; a name in it cannot be a slot."""
        if self.campaign is None:
            return ""
        name = field.rpartition(".")[2]
        found = self._progress
        written = render_template(
            f"blocks/{name}.html",
            progress=found,
            done=min(found.percent, _FULL) if found.percent is not None else None,
            rows=[(_called(one), one) for one in found.listings],
            milestones=_milestones(found),
            zone=figures.zone(),
        )
        return f"\n\n{written.strip().replace('{{', '&#123;&#123;')}\n\n"

    @property
    def about(self) -> Campaign:
        """The campaign, where there must be one."""
        if self.campaign is None:
            raise LookupError("A text about a campaign names none.")
        return self.campaign

    @cached_property
    def _progress(self) -> Progress:
        return progress.of(self.about, self.now)


def live(campaign_id: int | None, now: datetime) -> Live:
    """What fills the texts about this campaign."""
    return Live(db.session.get(Campaign, campaign_id) if campaign_id else None, now)


def known(*, about_campaign: bool) -> tuple[str, ...]:
    """The fields that a text may name."""
    if about_campaign:
        return (*slots.DONOR, *slots.FACTS, *slots.BLOCKS)
    return slots.EVERYWHERE


def check(title: str, body: str, *, about_campaign: bool) -> None:
    """Raises `BadSlot` where a text has a slot that cannot be filled, or not there."""
    every = known(about_campaign=about_campaign)
    slots.check(title, [name for name in every if name not in slots.BLOCKS])
    slots.check(body, every)
    looking = _Addresses()
    looking.feed(str(text.html(slots.filled(body, lambda _slot: mark("slot")))))
    looking.close()
    if looking.found:
        raise BadSlot(_("A field cannot be part of an address. Write the address out."))


class _Addresses(HTMLParser):
    """Whether a slot stands where only an address may stand."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.found |= bool(names(value)) or "%EE%83%B0" in value.upper()


def _called(figure: progress.Figure) -> str:
    return figure.listing.called or str(_(registry.label(figure.listing.platform)))


def _milestones(found: Progress) -> list[tuple[int, Money | None]]:
    """Each with what is missing, None where it is reached; none where there is no target."""
    target = found.target
    if target is None:
        return []
    amounts = [(one, Money(-(-target.minor * one // _FULL), target.currency)) for one in MILESTONES]
    return [
        (one, amount - found.raised if found.raised < amount else None) for one, amount in amounts
    ]


def _underscored(locale: str) -> str:
    return str(Locale.parse(locale, sep="-"))
