"""The demo's letters: who hears of the campaign, what was published, and what is on its way."""

from datetime import datetime, timedelta

from campaigns import donors, mailings, suppression, wordings
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.local.demo_texts import Both
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.staff import Staff
from campaigns.model.update import Update, UpdateText


def write(live: Campaign, editor: Staff, approver: Staff, now: datetime) -> None:
    """Two published updates, a mailing that leaves in two minutes, which brings a third one to the
    page and the feeds, and one that waits for approval."""
    for age, words in zip((timedelta(days=42), timedelta(days=12)), texts.UPDATES, strict=True):
        _update(live, words, editor, now - age).published_at = now - age
    soon = _update(live, texts.SCHEDULED, editor, now)
    mailing = mailings.draft(soon, {"campaign": live.id}, editor, now)
    mailings.submit(mailing, editor, now)
    mailings.approve(mailing, approver, now)
    mailings.schedule(mailing, now + timedelta(minutes=2), approver, now)
    waiting = _update(live, texts.IN_REVIEW, editor, now)
    mailings.submit(mailings.draft(waiting, {"campaign": live.id}, editor, now), editor, now)


def gather(live: Campaign, now: datetime) -> None:
    """Donors who hear of the campaign."""
    for number, (name, locale, _, _shown) in enumerate(texts.DONORS):
        address = Address.parse(f"donor{number}@example.org")
        donor = donors.at_or_new(address, name, locale, now)
        suppression.agree(
            donor,
            Purpose.UPDATES,
            live.id,
            source=ConsentSource.FORM,
            wording=wordings.FOLLOW,
            locale=locale,
            now=now,
        )


def _update(live: Campaign, words: Both, editor: Staff, at: datetime) -> Update:
    update = Update(campaign_id=live.id, author_id=editor.id, created_at=at, changed_at=at)
    update.texts = [
        UpdateText(locale=locale, title=text.title, body=text.story)
        for locale, text in words.items()
    ]
    db.session.add(update)
    db.session.flush()
    return update
