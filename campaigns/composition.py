"""Composition: a letter from what it tells to the octets that a relay gets.

What the recipients of one language share is rendered once; the rest is filled in for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import css_inline
from babel import Locale
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import select

from campaigns import blocks, pictures, signing, telling, text
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.mail.compose import Letter, Parts, Template
from campaigns.mail.dkim import Signer
from campaigns.mail.marks import mark, pieces
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
    # What stands in place of each slot for one who has no name.
    slots: Mapping[str, str]
    signers: Sequence[Signer]


@dataclass
class Desk:
    """Writes letters and keeps what they share, as it was when first needed: take a new one often.

    Reads rows, so it wants a transaction. An error is about the one letter.
    """

    _shared: dict[tuple[object, ...], _Shared] = field(default_factory=dict)

    def write(self, claim: Claim, now: datetime) -> Written:
        """The letter of a claim. The same claim gives the same letter."""
        locale = _spoken(claim.locale)
        shared = self._of(claim, locale, now)
        key, domain = settings().address_pepper, shared.domain
        parts = Parts(
            to=claim.to,
            message_id=message_id(claim.id, key, domain),
            date=now,
            fields=_fields(claim, shared, locale),
            unsubscribe=_leave(claim.token) if KINDS[claim.letter].leavable else None,
        )
        sender = bounce_address(claim.id, key, domain)
        message = shared.template.fill(parts)
        for signer in shared.signers:
            message = signer.signed(message)
        return Written(sender, claim.to.address, message)

    def _of(self, claim: Claim, locale: str, now: datetime) -> _Shared:
        # Of others the first word tells apart what is confirmed.
        by_occasion = KINDS[claim.letter].by_occasion
        about = claim.occasion if by_occasion else claim.occasion.partition(":")[0]
        if shape := KINDS[claim.letter].shape:
            about = shape(claim)
        key = (claim.letter, claim.mailing_id, claim.campaign_id, locale, about)
        if key not in self._shared:
            with force_locale(_underscored(locale)):
                self._shared[key] = _shared(claim, locale, now)
        return self._shared[key]


@dataclass(frozen=True, slots=True)
class Preview:
    """A letter as its reader sees it; `octets` is what all of the message takes."""

    subject: str
    plain: str
    html: str
    octets: int


def preview(
    update: Update, words: tuple[str, str], locale: str, now: datetime, name: str = ""
) -> Preview:
    """An update as the letter it would become, to `name` or to nobody in particular.

    `words` are its subject and Markdown; what is live in them is filled with how things stand.
    """
    live = blocks.live(update.campaign_id, now)
    subject, markdown = live.title(words[0], locale), live.body(words[1], locale)
    with force_locale(_underscored(locale)):
        told = telling.of_update(update, subject, markdown, locale)
        letter = _rendered(LetterKind.MAILING, told, _ours(), locale)
        greeting = _("Dear %(name)s,", name=name) if name else _("Hello,")
        values = {"greeting": greeting, "token": ""} | _named(_unnamed(told), name)
    escaped = {field: str(escape(value)) for field, value in values.items()}
    return Preview(
        _filled(letter.subject, values),
        _filled(letter.text, values),
        _filled(letter.html, escaped),
        len(Template(letter).fill(_to_nobody(values, now))),
    )


def _shared(claim: Claim, locale: str, now: datetime) -> _Shared:
    told = KINDS[claim.letter].tells(About(claim, locale, now))
    letter = _rendered(claim.letter, told, _ours(), locale)
    greetings = (_("Dear %(name)s,", name=_NAME), _("Hello,"))
    domain = letter.sender.address.ascii_domain
    signers = signing.signers(domain)
    return _Shared(Template(letter), domain, greetings, _unnamed(told), signers)


def _rendered(kind: LetterKind, told: Told, ours: Organisation | None, locale: str) -> Letter:
    letter = {
        "title": told.subject,
        "preheader": text.excerpt(_filled(told.markdown, _unnamed(told)), _PREHEADER) or None,
        "body": Markup(pictures.measured(text.html(told.markdown))),  # noqa: S704 - still sanitised
        "body_text": text.plain(told.markdown),
        "greeting": mark("greeting"),
        "button": told.button and {"label": told.button[0], "url": told.button[1]},
        "why": told.why,
        "web_url": told.web,
        "leave_url": _leave(mark("token")) if KINDS[kind].leavable else None,
        "choose_url": f"{settings().base_url}/preferences/{mark('token')}",
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
        _("AD: %(subject)s", subject=told.subject) if told.advertises else told.subject,
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
    } | _named(shared.slots, claim.to.name)
    if fills := KINDS[claim.letter].fills:
        with force_locale(_underscored(locale)):
            fields |= fills(claim)
    return fields


def _to_nobody(fields: Mapping[str, str], now: datetime) -> Parts:
    nobody = Mailbox("", Address.parse("nobody@example.org"))
    return Parts(nobody, "<preview@example.org>", now, fields, _leave("preview"))


def _unnamed(told: Told) -> dict[str, str]:
    """What each slot says to one who has no name, in the language at hand."""
    return {field: slot.or_else() for field, slot in told.slots.items()}


def _named(unnamed: Mapping[str, str], name: str) -> dict[str, str]:
    # A name has one line, wherever it came from; escaping is left to where it is put.
    name = " ".join(name.split())
    return {field: name or instead for field, instead in unnamed.items()}


def _filled(words: str, values: Mapping[str, str]) -> str:
    """The words with a value for each mark that has one."""
    fixed, *rest = pieces(words)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return fixed + "".join(values.get(field, mark(field)) + then for field, then in pairs)


def _ours() -> Organisation | None:
    return db.session.scalar(select(Organisation).where(Organisation.ours))


def _leave(token: str) -> str:
    return f"{settings().base_url}/unsubscribe/{token}"


def _spoken(locale: str) -> str:
    return locale if locale in LOCALES else first_language()


def _underscored(locale: str) -> str:
    return str(Locale.parse(locale, sep="-"))
