"""Writing: updates as editors write, change and publish them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from campaigns import audit, blocks, drafted_words, slots
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Staff
from campaigns.model.update import Update, UpdateKind, UpdateText


class Refused(Exception):
    """A change that cannot be made. Its text is a sentence for the person who tried."""


class NoTitle(Refused):
    """A language has a text but no title, or there is no language at all."""


class UnfitSlot(Refused):
    """A text names a field that is not there, or where it cannot be filled."""


class WrongCampaign(Refused):
    """An update is about one campaign; issues and appeals are about none."""


class Unfinished(Refused):
    """What was drafted still asks something of people."""


class NothingToShow(Refused):
    """There is no language in which the update has both a title and a text."""


@dataclass(frozen=True)
class Words:
    """An update's text in one language; `body` is Markdown."""

    title: str
    body: str = ""


def begin(
    campaign: Campaign | None,
    kind: UpdateKind,
    texts: Mapping[str, Words],
    now: datetime,
    by: Staff | None = None,
) -> Update:
    """A new update, seen by staff only. `texts` by language; an issue gets the next number.

    Raises `WrongCampaign`, `NoTitle` and `UnfitSlot`.
    """
    if (kind is UpdateKind.UPDATE) is (campaign is None):
        raise WrongCampaign(_("An update needs a campaign; an issue and an appeal have none."))
    _check(texts, about_campaign=campaign is not None)
    update = Update(
        campaign_id=campaign.id if campaign else None,
        kind=kind,
        number=_next_number() if kind is UpdateKind.ISSUE else None,
        author_id=by.id if by else None,
        created_at=now,
        changed_at=now,
    )
    _set(update, texts)
    db.session.add(update)
    db.session.flush()
    audit.record("write update", update, now, by=by)
    return update


def change(
    update: Update, texts: Mapping[str, Words], now: datetime, by: Staff | None = None
) -> bool:
    """Change the texts; whether anything did. Raises `NoTitle` and `UnfitSlot`.

    Who is the first to change what the system drafted is its author.
    Mailings of the update have to hear of it (`mailings.text_changed`), which is the caller's.
    """
    _check(texts, about_campaign=update.campaign_id is not None)
    before = {text.locale: Words(text.title, text.body) for text in update.texts}
    if before == dict(texts):
        return False
    _set(update, texts)
    update.changed_at = now
    if update.author_id is None and by is not None:
        update.author_id = by.id
    db.session.flush()
    changed = {name for name in {*before, *texts} if before.get(name) != texts.get(name)}
    changes = {f"text {name}": (_title(before, name), _title(texts, name)) for name in changed}
    audit.record("change update", update, now, by=by, changes=changes)
    return True


def publish(update: Update, now: datetime, by: Staff | None = None) -> None:
    """Show it on the campaign's page from now on. The second time does nothing."""
    if update.published_at is not None:
        return
    if not any(text.title.strip() and text.body.strip() for text in update.texts):
        raise NothingToShow(_("Write a title and a text first."))
    if any(drafted_words.undone(text.body) for text in update.texts):
        raise Unfinished(_("Write what the lines with ✎ ask for first, or delete the lines."))
    update.published_at = now
    audit.record("publish update", update, now, by=by)


def take_down(update: Update, now: datetime, by: Staff | None = None) -> None:
    """Show it no longer. What was mailed stays mailed. The second time does nothing."""
    if update.published_at is None:
        return
    update.published_at = None
    audit.record("take down update", update, now, by=by)


def _next_number() -> int:
    """Two who begin an issue at once take turns, by the organisation's row."""
    db.session.execute(select(Organisation.id).where(Organisation.ours).with_for_update())
    return (db.session.scalar(select(func.max(Update.number))) or 0) + 1


def _check(texts: Mapping[str, Words], *, about_campaign: bool) -> None:
    if not texts or any(not words.title.strip() for words in texts.values()):
        raise NoTitle(_("Write a title in at least one language, and in each that has a text."))
    for words in texts.values():
        try:
            blocks.check(words.title, words.body, about_campaign=about_campaign)
        except slots.BadSlot as unfit:
            raise UnfitSlot(str(unfit)) from unfit


def _set(update: Update, texts: Mapping[str, Words]) -> None:
    known = {text.locale: text for text in update.texts}
    for locale, words in texts.items():
        text = known.get(locale) or UpdateText(locale=locale)
        text.title, text.body = words.title, words.body
        if locale not in known:
            update.texts.append(text)
    update.texts = [text for text in update.texts if text.locale in texts]


def _title(texts: Mapping[str, Words], locale: str) -> str | None:
    return texts[locale].title if locale in texts else None
