"""The demo's mailing of twelve days ago: most letters arrived, and some did not."""

from datetime import datetime, timedelta

from sqlalchemy import select

from campaigns import addressing, mailings, returns, segments, suppression
from campaigns.db import db
from campaigns.mail.verp import bounce_address
from campaigns.model.campaign import Campaign
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Staff
from campaigns.model.update import Update
from config import settings

# What became of the letters, in their order; all others arrived. One donor left just before.
FULL, SPAM, GONE, LEFT = 3, 6, 8, 10
_REFUSED = {
    FULL: "5.2.2 The recipient's mailbox is full",
    SPAM: "5.7.1 Message refused by content filter",
}
_RETURNED = """\
From: MAILER-DAEMON@mx.example.org
To: {to}
Message-ID: <demo.2@mx.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 4.4.7
Diagnostic-Code: smtp; 451 4.4.7 Gave up after five days

--b--
"""


def send(live: Campaign, update: Update, editor: Staff, approver: Staff, at: datetime) -> None:
    """A mailing about an update that began at a moment gone by and has ended."""
    mailing = mailings.draft(update, {"campaign": live.id}, editor, at)
    mailings.submit(mailing, editor, at)
    mailings.approve(mailing, approver, at)
    mailings.schedule(mailing, at, approver, at)
    addressing.start(mailing, segments.members(mailing.segment, at), at)
    for number, letter in enumerate(_letters(mailing)):
        _become(letter, number, at + timedelta(seconds=number))
    db.session.flush()
    addressing.finish(at + timedelta(minutes=1))


def _letters(mailing: Mailing) -> list[Delivery]:
    of_it = select(Delivery).where(Delivery.mailing_id == mailing.id)
    return list(db.session.scalars(of_it.order_by(Delivery.id)))


def _become(letter: Delivery, number: int, at: datetime) -> None:
    if number == LEFT:
        suppression.withdraw(letter, at)
        _try(letter, DeliveryState.SUPPRESSED, None, "no consent", at)
    elif number in _REFUSED:
        _try(letter, DeliveryState.FAILED, 550, _REFUSED[number], at)
    else:
        _try(letter, DeliveryState.SENT, 250, "2.0.0 Queued", at)
    if number == GONE:
        _come_back(letter, at + timedelta(days=5))


def _try(
    letter: Delivery, state: DeliveryState, code: int | None, answer: str, at: datetime
) -> None:
    tried = state is not DeliveryState.SUPPRESSED
    letter.state, letter.settled_at, letter.attempts = state, at, int(tried)
    said = {"outcome": state, "code": code, "answer": answer}
    row = Attempt(delivery_id=letter.id, at=at, transport="relay" if tried else "", **said)
    db.session.add(row)
    db.session.flush()


def _come_back(letter: Delivery, at: datetime) -> None:
    to = bounce_address(letter.id, settings().address_pepper, "facilitators.example")
    recipient = letter.donor.address if letter.donor else ""
    returns.take(_RETURNED.format(to=to, recipient=recipient).encode(), "command", at, to=to)
