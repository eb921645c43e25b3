"""What comes back settles its letter, blames who is to blame, and counts once."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns import returns, suppression
from campaigns.db import db
from campaigns.mail.verp import message_id
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.returned import Return, Stray
from campaigns.model.suppression import Suppression, SuppressionCause
from config import settings
from tests import make
from tests.claiming import SENT, end, state, take
from tests.make import NOON
from tests.returning import address, bounce, complaint, in_words

pytestmark = pytest.mark.usefixtures("app")
DAY = timedelta(days=1)
FULL = ("5.2.2", "552 5.2.2 mailbox full")


def sent(to: str = "ada@example.org", **more: Any) -> Delivery:
    return make.delivery(to, state=DeliveryState.SENT, settled_at=NOON, **more)


def again_to(first: Delivery) -> Delivery:
    """Another letter to the same person."""
    row = Delivery(
        letter=first.letter,
        mailing_id=make.mailing().id,
        donor_id=first.donor_id,
        address_hash=first.address_hash,
        purpose=first.purpose,
        locale="en",
        state=DeliveryState.SENT,
        due_at=NOON,
        created_at=NOON,
    )
    db.session.add(row)
    db.session.flush()
    return row


def come(message: bytes, now: object = NOON, to: str | None = None) -> str:
    return str(returns.take(message, "command", now, to=to))  # type: ignore[arg-type]


def forbidden(letter: Delivery) -> bool:
    return suppression.forbids(letter.address_hash, Purpose.SERVICE)


def test_a_hard_bounce_suppresses_at_once_and_is_on_record() -> None:
    letter = sent()
    assert come(bounce(address(letter))) == "taken"
    assert state(letter) == "bounced"
    assert forbidden(letter)
    [row] = db.session.query(Return).all()
    assert (row.meaning, row.status, row.answer) == ("hard", "5.1.1", "550 5.1.1 no such user")


def test_the_same_message_counts_once() -> None:
    letter = sent()
    come(bounce(address(letter), *FULL))
    assert come(bounce(address(letter), *FULL), NOON + DAY) == "known"
    assert db.session.query(Return).count() == 1


def test_soft_bounces_suppress_after_a_set_number_of_letters() -> None:
    make.organisation(soft_limit=2, soft_days=10)
    first = sent()
    come(bounce(address(first), *FULL, number=1))
    come(bounce(address(first), *FULL, number=2))
    assert not forbidden(first), "One letter counts once, however often it comes back."
    come(bounce(address(again_to(first)), *FULL, number=3))
    assert forbidden(first)


def test_soft_bounces_long_apart_suppress_nobody() -> None:
    make.organisation(soft_limit=2, soft_days=10)
    first = sent()
    come(bounce(address(first), *FULL))
    come(bounce(address(again_to(first)), *FULL), NOON + 11 * DAY)
    assert not forbidden(first)


def test_a_refused_sender_never_blames_the_donor() -> None:
    letter = sent()
    for number in range(5):
        come(bounce(address(again_to(letter)), "5.7.1", "550 5.7.1 spam", number=number))
    come(bounce(address(letter), "5.7.1", "550 5.7.1 spam"))
    assert state(letter) == "bounced"
    assert db.session.query(Suppression).count() == 0


@pytest.mark.parametrize("action", ["delayed", "delivered"])
def test_what_was_not_refused_changes_nothing(action: str) -> None:
    letter = sent()
    come(bounce(address(letter), "4.4.1", "451 later", action=action))
    assert state(letter) == "sent"
    assert not forbidden(letter)


@pytest.mark.parametrize("by_message_id", [False, True])
def test_a_complaint_suppresses_everything_but_service_letters(by_message_id: bool) -> None:
    letter = sent()
    key = settings().address_pepper
    named = message_id(letter.id, key, "example.org") if by_message_id else ""
    come(complaint("" if by_message_id else address(letter), named))
    assert state(letter) == "complained"
    assert db.session.get(Suppression, (letter.address_hash, SuppressionCause.COMPLAINED))


def test_an_automatic_reply_changes_nothing() -> None:
    letter = sent()
    reply = f"To: {address(letter)}\r\nAuto-Submitted: auto-replied\r\n\r\naway".encode()
    assert come(reply) == "taken"
    assert state(letter) == "sent"
    assert not forbidden(letter)


@pytest.mark.parametrize(
    ("message", "becomes"), [(("5.1.1",), "bounced"), (FULL, "bounced"), (("5.7.1",), "bounced")]
)
def test_a_bounce_settles_an_unknown(message: tuple[str, ...], becomes: str) -> None:
    letter = make.delivery(state=DeliveryState.UNKNOWN)
    come(bounce(address(letter), *message))
    assert state(letter) == becomes
    assert letter.settled_at == NOON


def test_whatever_else_comes_back_shows_that_an_unknown_left() -> None:
    letter = make.delivery(state=DeliveryState.UNKNOWN)
    come(bounce(address(letter), "4.4.1", "later", action="delayed"))
    assert state(letter) == "sent"


def test_a_bounce_faster_than_our_own_record_is_not_overruled() -> None:
    letter = make.delivery()
    [claim] = take()
    come(bounce(address(letter)))
    end(claim, SENT)
    assert state(letter) == "bounced"


@pytest.mark.parametrize("held", ["queued", "deferred", "cancelled", "suppressed", "expired"])
def test_letters_that_have_another_try_or_end_keep_it(held: str) -> None:
    letter = make.delivery(state=DeliveryState(held))
    come(bounce(address(letter), *FULL))
    assert state(letter) == held


def test_a_bounce_address_that_was_made_up_is_refused_and_counted() -> None:
    letter = sent()
    forged = address(letter).replace("=", "=a", 1)[: -len("@updates.example.org") - 1]
    for _ in range(2):
        assert come(bounce(f"{forged}@updates.example.org")) == "forged"
    assert state(letter) == "sent"
    assert not forbidden(letter)
    [stray] = db.session.query(Stray).all()
    assert (stray.door, stray.reason, stray.number) == ("command", "forged", 2)


def test_what_names_no_letter_is_counted_and_no_more() -> None:
    assert come(b"Subject: hello\r\n\r\nhello") == "not_ours"
    letter = Delivery(id=999_999)
    assert come(bounce(address(letter))) == "no_letter"
    assert db.session.query(Return).count() == 0


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_recipient_is_found_as_the_mailbox_gives_it(header: str) -> None:
    letter = sent()
    message = f"{header}: {address(letter)}\r\n".encode() + bounce("undisclosed-recipients:;")
    assert come(message) == "taken"
    assert state(letter) == "bounced"


def test_the_recipient_may_be_given() -> None:
    letter = sent()
    assert come(bounce("somebody@example.org"), to=address(letter)) == "taken"


def test_words_without_a_code_are_kept_as_not_understood() -> None:
    letter = sent()
    come(in_words(address(letter), "邮件被退回。"))
    assert state(letter) == "sent"
    assert [row.meaning for row in db.session.query(Return)] == ["not_understood"]


def test_reasons_are_counted_by_mailing() -> None:
    mailing = make.mailing()
    for number in range(3):
        letter = sent(f"ada{number}@example.org", of=mailing)
        come(bounce(address(letter), *(FULL if number else ("5.1.1",)), number=number))
    assert returns.counts(mailing) == [("soft", "5.2.2", 2), ("hard", "5.1.1", 1)]
