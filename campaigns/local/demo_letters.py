"""The demo's letters: who hears of the campaign, what was published, and what is on its way."""

from datetime import datetime, timedelta

from sqlalchemy import select

from campaigns import donors, following, mailings, returns, suppression, wordings
from campaigns.db import db
from campaigns.local import demo_sent
from campaigns.local import demo_texts as texts
from campaigns.local.demo_texts import Both
from campaigns.mail.address import Address
from campaigns.mail.verp import bounce_address
from campaigns.model.campaign import Campaign
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.delivery import Attempt, Delivery, DeliveryState, LetterKind
from campaigns.model.staff import Staff
from campaigns.model.update import Update, UpdateText
from config import settings

# Somebody followed with an address that they had mistyped.
MISTYPED = "lin.wie@example.org"
_RETURNED = """\
From: MAILER-DAEMON@mx.example.org
To: {to}
Message-ID: <demo.1@mx.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user here

--b--
"""


def write(live: Campaign, editor: Staff, approver: Staff, now: datetime) -> None:
    """Two published updates, the second of them mailed; a mailing that leaves in two minutes, which
    brings a third one to the page and the feeds, and one that waits for approval."""
    for age, words in zip((timedelta(days=42), timedelta(days=12)), texts.UPDATES, strict=True):
        update = _update(live, words, editor, now - age)
        update.published_at = now - age
    demo_sent.send(live, update, editor, approver, now - age)
    soon = _update(live, texts.SCHEDULED, editor, now)
    mailing = mailings.draft(soon, {"campaign": live.id}, editor, now)
    mailings.submit(mailing, editor, now)
    mailings.approve(mailing, approver, now)
    mailings.schedule(mailing, now + timedelta(minutes=2), approver, now)
    waiting = _update(live, texts.IN_REVIEW, editor, now)
    mailings.submit(mailings.draft(waiting, {"campaign": live.id}, editor, now), editor, now)


def gather(live: Campaign, now: datetime) -> None:
    """Donors who hear of the campaign, one more each day until its second update; the last of them
    reads once a month."""
    for number, (name, locale, _, _shown) in enumerate(texts.DONORS):
        since = now - timedelta(days=24 - number)
        address = Address.parse(f"donor{number}@example.org")
        donor = donors.at_or_new(address, name, locale, since)
        donor.monthly = name == texts.MONTHLY
        suppression.agree(
            donor,
            Purpose.UPDATES,
            live.id,
            source=ConsentSource.FORM,
            wording=wordings.FOLLOW,
            locale=locale,
            now=since,
        )


def come_back(live: Campaign, now: datetime) -> None:
    """A letter that asked for a confirmation three days ago, and came back a minute later."""
    at = now - timedelta(days=3)
    following.ask(live, Address.parse(MISTYPED), "zh-Hans", at)
    db.session.flush()
    asked = Delivery.letter == LetterKind.CONFIRM
    letter = db.session.scalars(select(Delivery).where(asked)).one()
    letter.state, letter.attempts, letter.settled_at = DeliveryState.SENT, 1, at
    tried = {"transport": "relay", "outcome": letter.state, "code": 250, "answer": "Queued."}
    db.session.add(Attempt(delivery_id=letter.id, at=at, **tried))
    db.session.flush()
    to = bounce_address(letter.id, settings().address_pepper, "facilitators.example")
    message = _RETURNED.format(to=to, recipient=MISTYPED).encode()
    returns.take(message, "command", at + timedelta(minutes=1), to=to)


def _update(live: Campaign, words: Both, editor: Staff, at: datetime) -> Update:
    update = Update(campaign_id=live.id, author_id=editor.id, created_at=at, changed_at=at)
    update.texts = [
        UpdateText(locale=locale, title=text.title, body=text.story)
        for locale, text in words.items()
    ]
    db.session.add(update)
    db.session.flush()
    return update
