"""Telling: what each kind of letter says.

A new kind is a name in `LetterKind`, two templates called after it, a function here that gives
its `Told`, and its line in `KINDS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import alerts, blocks, claim_words, claimed_gifts, digested, slots, thanking
from campaigns.claimed_gifts import Found
from campaigns.db import db
from campaigns.mail.marks import mark
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Claim, LetterKind
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import Organisation, first_language
from campaigns.model.update import Update
from campaigns.slots import Slot
from config import settings

# What stands in front of a public address in a language that is not the default one.
_PREFIXES = {"zh-Hans": "/zh", "en": "/en"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter tells. `list_id` is what the list is called by machines, before the domain;
    `web` is where anybody may read the same, `archive` where what came before it stands. `own` is
    what only the templates of its kind ask for. `slots` are what each recipient's own words fill,
    by the names of their marks. `advertises` stands in the subject, where a law asks for it."""

    subject: str
    why: str
    button: tuple[str, str] | None = None
    markdown: str = ""
    campaign: str = ""
    sender: str | None = None
    reply_to: str | None = None
    list_id: str | None = None
    web: str | None = None
    archive: str | None = None
    own: Mapping[str, object] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    advertises: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """A letter to tell, in the language `locale`, which is also the one at hand."""

    claim: Claim
    locale: str
    now: datetime

    @property
    def campaign(self) -> Campaign:
        """The campaign that the letter is about."""
        campaign = self.campaign_if_any
        if campaign is None:
            raise LookupError("A letter about a campaign names none.")
        return campaign

    @property
    def campaign_if_any(self) -> Campaign | None:
        return db.session.get(Campaign, self.claim.campaign_id) if self.claim.campaign_id else None


@dataclass(frozen=True, slots=True)
class Kind:
    """How letters of one kind come by their words.

    `tells` gives what all of a mailing, or of a campaign, have in common in one language; each
    occasion has words of its own if `by_occasion`, and what differs in shape by `shape`. `fills`
    gives what each recipient's copy has to itself besides greeting and token. `leavable`: one can
    ask to get no more of these.
    """

    tells: Callable[[About], Told]
    leavable: bool = False
    by_occasion: bool = False
    fills: Callable[[Claim], Mapping[str, str]] | None = None
    shape: Callable[[Claim], str] | None = None


def of_update(update: Update, subject: str, markdown: str, locale: str) -> Told:
    """An update as a letter in these words."""
    campaign = db.session.get(Campaign, update.campaign_id) if update.campaign_id else None
    told = _slotted(_update(campaign, locale, subject, markdown))
    ours = db.session.scalar(select(Organisation).where(Organisation.ours))
    told = replace(told, advertises=ours is not None and ours.advertises(update.kind))
    if not update.archived:
        return told
    # The addresses of its public page and of all that were sent, which name no reader.
    page = _page(campaign, locale)
    every, one = (f"{page}/updates", update.id) if campaign else (page, update.number)
    return replace(told, web=f"{every}/{one}", archive=every)


def _mailing(about: About) -> Told:
    """The frozen text of a mailing."""
    mailing = db.session.get_one(Mailing, about.claim.mailing_id)
    frozen = mailing.text(about.locale, first_language())
    told = of_update(mailing.update, frozen.subject, frozen.body, about.locale)
    if mailing.update.published_at is None:
        # One that was taken down meanwhile would lead its readers nowhere.
        told = replace(told, web=None, archive=None)
    return replace(told, sender=mailing.sender, reply_to=mailing.reply_to)


def _test(about: About) -> Told:
    """An update as it stands now, to who works on it: "test:<update>:<moment>"."""
    update = db.session.get_one(Update, int(about.claim.occasion.split(":")[1]))
    written = update.text(about.locale, first_language())
    live = blocks.live(update.campaign_id, about.now)
    subject = _("Test: %(subject)s", subject=live.title(written.title, about.locale))
    told = of_update(update, subject, live.body(written.body, about.locale), about.locale)
    why = _("You get this because you asked for a test. Nobody else gets it.")
    return replace(told, why=why, web=None, archive=None, list_id=None)


def _slotted(told: Told) -> Told:
    """With marks in place of slots. What only looks like a slot stays as it is written."""
    found = [slot for slot in slots.of(told.subject + told.markdown) if slot.field in slots.DONOR]
    names = {slot: f"slot_{number}" for number, slot in enumerate(dict.fromkeys(found))}

    def marked(words: str) -> str:
        return slots.filled(words, lambda slot: mark(names[slot]) if slot in names else None)

    return replace(
        told,
        subject=marked(told.subject),
        markdown=marked(told.markdown),
        slots={name: slot for slot, name in names.items()},
    )


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


def _thanks(about: About) -> Told:
    words = thanking.words(about.claim, about.locale)
    campaign, button = words.campaign, (_("All campaigns"), settings().base_url)
    if campaign is not None:
        button = (_("See the campaign"), _page(campaign, about.locale))
    return Told(
        words.subject,
        _("You get this because you left your address with your gift."),
        button=button,
        campaign=campaign.text(about.locale).title if campaign else "",
        own=words.own,
    )


def _confirm(about: About) -> Told:
    if about.claim.occasion.startswith("preferences:"):
        return _preferences()
    if about.campaign_if_any is None:
        return _confirm_newsletter()
    claim = claimed_gifts.of_occasion(about.claim.occasion)
    if claim is not None:
        return _claimed(claimed_gifts.behind(claim), about)
    title = about.campaign.text(about.locale).title
    return Told(
        _("Please confirm: updates about “%(campaign)s”", campaign=title),
        _("You get this once, because this address was entered on our page."),
        button=(_("Yes, write to me"), f"{settings().base_url}/follow/confirm/{mark('token')}"),
        campaign=title,
    )


def _confirm_newsletter() -> Told:
    return Told(
        _("Please confirm: our newsletter"),
        _("You get this once, because this address was entered on our page."),
        button=(_("Yes, write to me"), f"{settings().base_url}/follow/confirm/{mark('token')}"),
    )


def _preferences() -> Told:
    return Told(
        _("Your preferences and your data"),
        _("You get this once, because somebody who has a letter of ours to you asked for it."),
        button=(_("Open my preferences"), f"{settings().base_url}/preferences/{mark('token')}"),
        own={
            "paragraphs": [
                _(
                    "With this link you choose what you get from us, see what we know about you, "
                    "and can have it erased. It works for one day."
                ),
                _("Please do not pass this letter on. If it was not you who asked, do nothing."),
            ]
        },
    )


def _claimed(found: Found, about: About) -> Told:
    """What a number that somebody entered leads to, told to nobody but who reads at the address."""
    entry = found.entry if found.confirmable else None
    campaign = db.session.get_one(Campaign, entry.campaign_id) if entry else about.campaign
    title = campaign.text(about.locale).title
    why = _("You get this once, because this address was entered on our page.")
    if not found.confirmable:
        words = {
            "paragraphs": [claim_words.entered(title), *claim_words.not_claimable(found.verdict)]
        }
        button = (_("All campaigns"), settings().base_url)
        return Told(_("The number of a gift that was entered"), why, button=button, own=words)
    told = _(
        "Is it yours? Then press the button, choose the name that is shown with it, and see what "
        "becomes of the money."
    )
    if campaign.state is not CampaignState.CLOSED:
        told += " " + _("From then on news comes to this address until you leave with one tap.")
    unless = _("If it was not you, do nothing: no other letter will come.")
    return Told(
        _("Please confirm: your gift to “%(campaign)s”", campaign=title),
        why,
        button=(_("Yes, this is my gift"), f"{settings().base_url}/gift/{mark('token')}"),
        own={"paragraphs": [claim_words.entered(title), told, unless]},
    )


def _digest(about: About) -> Told:
    words = digested.words(about.claim, about.locale, _page)
    why = _("You get this because you chose one letter a month instead of each by itself.")
    return Told(words.subject, why, markdown=words.markdown, list_id="digest")


def _reset(about: About) -> Told:
    return Told(
        _("Choose a new password"),
        _("You get this because you work with Huiyin."),
        button=(_("Choose a password"), f"{settings().base_url}/staff/reset/{mark('token')}"),
    )


def _alert(about: About) -> Told:
    alert = alerts.told(about.claim.occasion, about.locale, about.now)
    return Told(
        alert.title,
        _("You get this because you work with Huiyin."),
        button=(alert.button, settings().base_url + alert.path),
        own={"what": alert.what, "about": alert.subjects, "more": alert.more},
    )


def _page(campaign: Campaign | None, locale: str) -> str:
    """The public page of a campaign, or of the newsletter."""
    prefix = "" if locale == first_language() else _PREFIXES[locale]
    path = f"c/{quote(campaign.slug)}" if campaign else "newsletter"
    return f"{settings().base_url}{prefix}/{path}"


KINDS = {
    LetterKind.MAILING: Kind(_mailing, leavable=True),
    LetterKind.THANKS: Kind(_thanks, leavable=True, fills=thanking.fields, shape=thanking.shape),
    LetterKind.CONFIRM: Kind(_confirm, by_occasion=True),
    LetterKind.RESET: Kind(_reset),
    LetterKind.ALERT: Kind(_alert, by_occasion=True),
    LetterKind.TEST: Kind(_test, by_occasion=True),
    LetterKind.DIGEST: Kind(_digest, leavable=True, shape=digested.shape),
}
