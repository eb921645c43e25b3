"""The demo's further people: an imported list, segments, a claimed gift, an issue."""

from datetime import datetime, timedelta
from io import BytesIO

from sqlalchemy import select

from campaigns import claimed_gifts, claiming_gifts, contacts, keeping, writing
from campaigns.contacts import Basis
from campaigns.db import db
from campaigns.local import demo_texts as texts
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.segment import Conditions, Definition, Role
from campaigns.model.staff import Staff
from campaigns.model.update import UpdateKind
from campaigns.writing import Words


def hand_in(editor: Staff, now: datetime) -> None:
    """Who signed a paper list at an open day three weeks ago agreed to the newsletter."""
    at = now - timedelta(days=20)
    day, newsletter = (at - timedelta(days=1)).date(), (Purpose.NEWSLETTER, None)
    basis = Basis(texts.STAFF["editor"], day, texts.LIST_HOW, texts.LIST_WORDS, (newsletter,))
    file = BytesIO(texts.LIST.encode())
    one, lines = contacts.add(file, texts.LIST_NAME, basis, at, editor)
    contacts.commit(one, lines, contacts.counted(contacts.judged(one, lines)), at, editor)


def select_some(live: Campaign, editor: Staff, now: datetime) -> None:
    """Segments under names: who reads English, and volunteers who have not given yet."""
    in_english = Conditions(campaigns=(live.id,), languages=("en",))
    gave, helpers = Conditions(role=Role.GAVE), Conditions(tags=(texts.HELPERS,))
    keeping.keep(texts.SEGMENTS[0], Definition(in_english), editor, now)
    keeping.keep(texts.SEGMENTS[1], Definition(helpers, gave), editor, now)


def claim(live: Campaign, reference: str, now: datetime) -> None:
    """The giver of a bank transfer scanned the code on their card, and confirmed by the letter."""
    at = now - timedelta(days=2)
    key = select(EntryKey.entry_id).where(EntryKey.value == reference).limit(1)
    entry = db.session.scalars(select(Entry).where(Entry.id.in_(key))).one()
    number = claimed_gifts.code(entry.id)
    claiming_gifts.ask(live, number, Address.parse("claimed@example.org"), "zh-Hans", at)
    db.session.flush()
    asked = select(Delivery).where(Delivery.occasion.startswith(claimed_gifts.OCCASION))
    letter = db.session.scalars(asked).one()
    letter.state, letter.attempts, letter.settled_at = DeliveryState.SENT, 1, at
    tried = {"transport": "relay", "outcome": letter.state, "code": 250, "answer": "Queued."}
    db.session.add(Attempt(delivery_id=letter.id, at=at, **tried))
    own = claiming_gifts.of_letter(letter, at)
    claiming_gifts.confirm(own, letter, at + timedelta(minutes=4))


def publish_issue(editor: Staff, approver: Staff, now: datetime) -> None:
    """The first issue of the newsletter, on its page for two weeks."""
    at = now - timedelta(days=14)
    words = {locale: Words(one.title, one.story) for locale, one in texts.ISSUE.items()}
    writing.publish(writing.begin(None, UpdateKind.ISSUE, words, at, editor), at, approver)
