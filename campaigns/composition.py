"""Composition: what a letter says, from rows to the octets that a relay gets.

What the recipients of one language share is rendered once; the rest is filled in for each.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

import css_inline
from babel import Locale
from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import alerts, text
from campaigns.alerts import Subject
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.mail.compose import Letter, Parts, Template
from campaigns.mail.marks import mark
from campaigns.mail.verp import bounce_address, message_id
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.entry import Entry
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import Organisation, first_language
from campaigns.model.update import Update
from config import LOCALES, settings

# What stands in front of a public address in a language that is not the default one.
_PREFIXES = {"zh-Hans": "/zh", "en": "/en"}
_PREHEADER = 100
# Letters that one can ask to get no more of.
_LEAVABLE = frozenset({LetterKind.MAILING, LetterKind.THANKS})
_NAME = "\ue0f2"


@dataclass(frozen=True, slots=True)
class Written:
    """One letter as a transport takes it: envelope and message."""

    sender: str
    to: Address
    message: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter tells. `list_id` is what the list is called by machines, before the domain;
    `web` is where anybody may read the same, `archive` where what came before it stands."""

    subject: str
    why: str
    button: tuple[str, str] | None = None
    markdown: str = ""
    campaign: str = ""
    what: str = ""
    about: tuple[Subject, ...] = ()
    more: int = 0
    sender: str | None = None
    reply_to: str | None = None
    list_id: str | None = None
    web: str | None = None
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class _Shared:
    template: Template
    domain: str
    greetings: tuple[str, str]


@dataclass
class Desk:
    """Writes letters and keeps what they share, as it was when first needed: take a new one often.

    Reads rows, so it wants a transaction. An error is about the one letter.
    """

    _shared: dict[tuple[object, ...], _Shared] = field(default_factory=dict)

    def write(self, claim: Claim, now: datetime) -> Written:
        """The letter of a claim. The same claim gives the same letter."""
        locale = _spoken(claim.locale)
        shared = self._of(claim, locale)
        key, domain = settings().address_pepper, shared.domain
        parts = Parts(
            to=claim.to,
            message_id=message_id(claim.id, key, domain),
            date=now,
            fields=_fields(claim, shared, locale),
            unsubscribe=_leave(claim.token) if claim.letter in _LEAVABLE else None,
        )
        sender = bounce_address(claim.id, key, domain)
        return Written(sender, claim.to.address, shared.template.fill(parts))

    def _of(self, claim: Claim, locale: str) -> _Shared:
        about = claim.occasion if claim.letter is LetterKind.ALERT else ""
        key = (claim.letter, claim.mailing_id, claim.campaign_id, locale, about)
        if key not in self._shared:
            with force_locale(_underscored(locale)):
                self._shared[key] = _shared(claim, locale)
        return self._shared[key]


def preview(update: Update, subject: str, markdown: str, locale: str) -> tuple[str, str]:
    """An update as the letter it would become: its text and its HTML, to nobody in particular."""
    campaign = db.session.get(Campaign, update.campaign_id) if update.campaign_id else None
    with force_locale(_underscored(locale)):
        told = _update(campaign, locale, subject, markdown)
        if campaign is not None and update.archived:
            told = _archived(told, update, campaign, locale)
        letter = _rendered(LetterKind.MAILING, told, _ours(), locale)
        hello = _("Hello,")
    greeted = (part.replace(mark("greeting"), hello) for part in (letter.text, letter.html))
    plain, rich = (part.replace(mark("token"), "") for part in greeted)
    return plain, rich


def _shared(claim: Claim, locale: str) -> _Shared:
    ours = _ours()
    campaign = db.session.get(Campaign, claim.campaign_id) if claim.campaign_id else None
    letter = _rendered(claim.letter, _told(claim, campaign, locale), ours, locale)
    greetings = (_("Dear %(name)s,", name=_NAME), _("Hello,"))
    return _Shared(Template(letter), letter.sender.address.ascii_domain, greetings)


def _told(claim: Claim, campaign: Campaign | None, locale: str) -> Told:
    match claim.letter:
        case LetterKind.MAILING:
            mailing = db.session.get_one(Mailing, claim.mailing_id)
            return _mailing(mailing, campaign, locale)
        case LetterKind.THANKS:
            return _thanks(campaign, locale)
        case LetterKind.CONFIRM:
            return _confirm(campaign, locale)
        case LetterKind.RESET:
            return _reset()
        case LetterKind.ALERT:
            return _alert(claim.occasion, locale)


def _mailing(mailing: Mailing, campaign: Campaign | None, locale: str) -> Told:
    """The frozen text of a mailing."""
    frozen = mailing.text(locale, first_language())
    told = _update(campaign, locale, frozen.subject, frozen.body)
    told = replace(told, sender=mailing.sender, reply_to=mailing.reply_to)
    update = mailing.update
    # One that was taken down meanwhile would lead its readers nowhere.
    if campaign is None or not update.archived or update.published_at is None:
        return told
    return _archived(told, update, campaign, locale)


def _archived(told: Told, update: Update, campaign: Campaign, locale: str) -> Told:
    """With the addresses of its public page and of all that were sent, which name no reader."""
    every = f"{_page(campaign, locale)}/updates"
    return replace(told, web=f"{every}/{update.id}", archive=every)


def _update(campaign: Campaign | None, locale: str, subject: str, markdown: str) -> Told:
    if campaign is None:
        why = _("You get this because you agreed to our newsletter.")
        return Told(subject, why, markdown=markdown, list_id="newsletter")
    title = campaign.text(locale).title
    return Told(
        subject,
        _("You get this because you agreed to updates about “%(campaign)s”.", campaign=title),
        button=(_("See the campaign"), _page(campaign, locale)),
        markdown=markdown,
        campaign=title,
        list_id=campaign.slug if campaign.slug.isascii() else f"campaign-{campaign.id}",
    )


def _thanks(campaign: Campaign | None, locale: str) -> Told:
    campaign = _needed(campaign)
    title = campaign.text(locale).title
    return Told(
        _("Your gift to “%(campaign)s” has arrived", campaign=title),
        _("You get this because you left your address with your gift."),
        button=(_("See the campaign"), _page(campaign, locale)),
        campaign=title,
    )


def _confirm(campaign: Campaign | None, locale: str) -> Told:
    title = _needed(campaign).text(locale).title
    return Told(
        _("Please confirm: updates about “%(campaign)s”", campaign=title),
        _("You get this once, because this address was entered on our page."),
        button=(_("Yes, write to me"), f"{settings().base_url}/follow/confirm/{mark('token')}"),
        campaign=title,
    )


def _reset() -> Told:
    return Told(
        _("Choose a new password"),
        _("You get this because you work with Huiyin."),
        button=(_("Choose a password"), f"{settings().base_url}/staff/reset/{mark('token')}"),
    )


def _alert(occasion: str, locale: str) -> Told:
    alert = alerts.told(occasion, locale)
    return Told(
        alert.title,
        _("You get this because you work with Huiyin."),
        button=(alert.button, settings().base_url + alert.path),
        what=alert.what,
        about=alert.subjects,
        more=alert.more,
    )


def _rendered(kind: LetterKind, told: Told, ours: Organisation | None, locale: str) -> Letter:
    body = text.plain(told.markdown)
    letter = {
        "title": told.subject,
        "preheader": text.excerpt(told.markdown, _PREHEADER) or None,
        "body": text.html(told.markdown),
        "body_text": body,
        "greeting": mark("greeting"),
        "button": told.button and {"label": told.button[0], "url": told.button[1]},
        "why": told.why,
        "web_url": told.web,
        "leave_url": _leave(mark("token")) if kind in _LEAVABLE else None,
        "campaign": told.campaign,
        "what": told.what,
        "about": told.about,
        "more": told.more,
        "amount": mark("amount"),
        "day": mark("day"),
    }
    name = ours.text(locale).name if ours else settings().organisation_name
    site = {
        "name": name,
        "home": settings().base_url,
        "contact": ours.contact if ours else None,
        "demo": ours.demo if ours else False,
    }
    sender = Mailbox.parse(told.sender or (ours and ours.sender) or settings().mail_from)
    reply_to = told.reply_to or (ours.reply_to if ours else None)
    domain = sender.address.ascii_domain
    html = render_template(f"letters/{kind}.html", letter=letter, site=site)
    return Letter(
        sender,
        told.subject,
        render_template(f"letters/{kind}.txt", letter=letter, site=site),
        css_inline.CSSInliner(keep_style_tags=False, load_remote_stylesheets=False).inline(html),
        reply_to=Mailbox.parse(reply_to) if reply_to else None,
        list_id=(told.campaign or name, f"{told.list_id}.{domain}") if told.list_id else None,
        archive=told.archive,
    )


def _fields(claim: Claim, shared: _Shared, locale: str) -> dict[str, str]:
    named, unnamed = shared.greetings
    fields = {
        "token": claim.token,
        "greeting": named.replace(_NAME, claim.to.name) if claim.to.name else unnamed,
    }
    if claim.entry_id is not None and "amount" in shared.template.fields:
        entry = db.session.get_one(Entry, claim.entry_id)
        filters = current_app.jinja_env.filters
        with force_locale(_underscored(locale)):
            fields["amount"] = filters["money"](entry.amount)
            fields["day"] = filters["day"](entry.occurred_at)
    return fields


def _needed(campaign: Campaign | None) -> Campaign:
    if campaign is None:
        raise LookupError("A letter about a campaign names none.")
    return campaign


def _ours() -> Organisation | None:
    return db.session.scalar(select(Organisation).where(Organisation.ours))


def _page(campaign: Campaign, locale: str) -> str:
    prefix = "" if locale == first_language() else _PREFIXES[locale]
    return f"{settings().base_url}{prefix}/c/{quote(campaign.slug)}"


def _leave(token: str) -> str:
    return f"{settings().base_url}/unsubscribe/{token}"


def _spoken(locale: str) -> str:
    return locale if locale in LOCALES else first_language()


def _underscored(locale: str) -> str:
    return str(Locale.parse(locale, sep="-"))
