"""Months for tests of digests: who follows, what was mailed when, and the morning after."""

from datetime import UTC, datetime

from sqlalchemy import select

from campaigns import digests, mailings
from campaigns.db import db
from campaigns.mail.address import Address, Mailbox
from campaigns.model.delivery import Claim, Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.update import Update
from tests import make
from tests.mailing import begin, follower

# 1 February 2026 is a Sunday in Shanghai; nine in the morning of the 2nd there.
JANUARY = datetime(2026, 1, 15, 4, tzinfo=UTC)
MORNING = datetime(2026, 2, 2, 1, tzinfo=UTC)


def reader(of: Update, to: str | None = None) -> Donor:
    """Who follows the update's campaign by one letter a month."""
    donor = follower(of, to)
    donor.monthly = True
    db.session.commit()
    return donor


def mailed(update: Update, at: datetime = JANUARY) -> Mailing:
    """A mailing of the update, from the draft to its hour."""
    author, approver = make.staff(), make.staff()
    segment = {"campaign": update.campaign_id} if update.campaign_id else {"everyone": True}
    mailing = mailings.draft(update, segment, author, at)
    mailings.submit(mailing, author, at)
    mailings.approve(mailing, approver, at)
    mailings.schedule(mailing, at, None, at)
    db.session.commit()
    begin(at)
    return mailing


def written(now: datetime = MORNING) -> list[Delivery]:
    """Every digest there is, after the clock ticked until nothing was left to write."""
    for _ in range(3):
        digests.write_due(now)
        db.session.commit()
    found = select(Delivery).where(Delivery.letter == LetterKind.DIGEST).order_by(Delivery.id)
    return list(db.session.scalars(found))


def in_hand(digest: Delivery, locale: str = "en") -> Claim:
    """The letter as a process has it that claimed it."""
    return Claim(
        id=digest.id,
        by="me",
        token="tok",
        letter=digest.letter,
        occasion=digest.occasion,
        mailing_id=None,
        campaign_id=None,
        entry_id=None,
        locale=locale,
        to=Mailbox("Ada", Address.parse("ada@example.org")),
        attempts=0,
        expires_at=MORNING,
    )
