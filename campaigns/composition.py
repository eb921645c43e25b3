"""Composition: a letter from what it tells to the octets that a relay gets.

What the recipients of one language share is rendered once; the rest is filled in for each.
"""

from dataclasses import dataclass, field
from datetime import datetime

import css_inline
from babel import Locale
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import telling, text
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.mail.compose import Letter, Parts, Template
from campaigns.mail.marks import mark
from campaigns.mail.verp import bounce_address, message_id
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.organisation import Organisation, first_language
from campaigns.model.update import Update
from campaigns.telling import KINDS, About, Told
from config import LOCALES, settings

_PREHEADER = 100
_NAME = "\ue0f2"


@dataclass(frozen=True, slots=True)
class Written:
    """One letter as a transport takes it: envelope and message."""

    sender: str
    to: Address
    message: bytes


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
            unsubscribe=_leave(claim.token) if KINDS[claim.letter].leavable else None,
        )
        sender = bounce_address(claim.id, key, domain)
        return Written(sender, claim.to.address, shared.template.fill(parts))

    def _of(self, claim: Claim, locale: str) -> _Shared:
        # Of others the first word tells apart what is confirmed.
        by_occasion = KINDS[claim.letter].by_occasion
        about = claim.occasion if by_occasion else claim.occasion.partition(":")[0]
        key = (claim.letter, claim.mailing_id, claim.campaign_id, locale, about)
        if key not in self._shared:
            with force_locale(_underscored(locale)):
                self._shared[key] = _shared(claim, locale)
        return self._shared[key]


def preview(update: Update, subject: str, markdown: str, locale: str) -> tuple[str, str]:
    """An update as the letter it would become: its text and its HTML, to nobody in particular."""
    with force_locale(_underscored(locale)):
        told = telling.of_update(update, subject, markdown, locale)
        letter = _rendered(LetterKind.MAILING, told, _ours(), locale)
        hello = _("Hello,")
    greeted = (part.replace(mark("greeting"), hello) for part in (letter.text, letter.html))
    plain, rich = (part.replace(mark("token"), "") for part in greeted)
    return plain, rich


def _shared(claim: Claim, locale: str) -> _Shared:
    told = KINDS[claim.letter].tells(About(claim, locale))
    letter = _rendered(claim.letter, told, _ours(), locale)
    greetings = (_("Dear %(name)s,", name=_NAME), _("Hello,"))
    return _Shared(Template(letter), letter.sender.address.ascii_domain, greetings)


def _rendered(kind: LetterKind, told: Told, ours: Organisation | None, locale: str) -> Letter:
    letter = {
        "title": told.subject,
        "preheader": text.excerpt(told.markdown, _PREHEADER) or None,
        "body": text.html(told.markdown),
        "body_text": text.plain(told.markdown),
        "greeting": mark("greeting"),
        "button": told.button and {"label": told.button[0], "url": told.button[1]},
        "why": told.why,
        "web_url": told.web,
        "leave_url": _leave(mark("token")) if KINDS[kind].leavable else None,
        "campaign": told.campaign,
        **told.own,
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
    if fills := KINDS[claim.letter].fills:
        with force_locale(_underscored(locale)):
            fields |= fills(claim)
    return fields


def _ours() -> Organisation | None:
    return db.session.scalar(select(Organisation).where(Organisation.ours))


def _leave(token: str) -> str:
    return f"{settings().base_url}/unsubscribe/{token}"


def _spoken(locale: str) -> str:
    return locale if locale in LOCALES else first_language()


def _underscored(locale: str) -> str:
    return str(Locale.parse(locale, sep="-"))
