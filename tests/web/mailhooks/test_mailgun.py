"""What Mailgun tells of letters: taken once, whoever posts it, and refused without a trace."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from campaigns import mailhooks, suppression
from campaigns.db import db
from campaigns.mail.hook import FRESH, LARGEST_POST
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mail_hook import MailHook, UsedToken
from campaigns.model.returned import Return, Stray
from tests import make
from tests.claiming import state
from tests.make import NOON
from tests.web.mailhooks.conftest import Send
from tests.web.mailhooks.mailgun import KEY, event, post, signed


@pytest.fixture
def letter(app: Flask) -> Delivery:
    mailhooks.setup("mailgun", "mailgun", KEY, NOON)
    return make.delivery("ada@example.org", state=DeliveryState.UNKNOWN)


def reasons() -> list[str]:
    return [stray.reason for stray in db.session.query(Stray)]


def test_a_failure_for_good_settles_and_suppresses(send: Send, letter: Delivery) -> None:
    assert send(post(event(letter))) == 200
    assert state(letter) == "bounced"
    assert suppression.forbids(letter.address_hash, Purpose.SERVICE)
    [row] = db.session.query(Return)
    assert (row.door, row.status) == ("hook:mailgun", "5.1.1")
    assert row.answer == "550 5.1.1 no such user a***@example.org"
    assert db.session.query(MailHook).one().heard_at == NOON


@pytest.mark.parametrize(
    ("data", "meaning", "becomes"),
    [
        ({"severity": "temporary"}, "delayed", "sent"),
        ({"event": "complained"}, "complaint", "complained"),
        ({"event": "delivered"}, "delivered", "sent"),
        ({"delivery-status": {"code": 550, "message": "5.7.1 spam"}}, "policy", "bounced"),
        ({"delivery-status": {"code": 552, "message": "full"}}, "soft", "bounced"),
        ({"reason": "suppress-complaint"}, "complaint", "complained"),
    ],
)
def test_each_event_means_what_mailgun_means(
    send: Send, letter: Delivery, data: dict[str, Any], meaning: str, becomes: str
) -> None:
    assert send(post(event(letter, what=data.pop("event", "failed"), **data))) == 200
    assert [row.meaning for row in db.session.query(Return)] == [meaning]
    assert state(letter) == becomes


def test_other_events_leave_no_trace(send: Send, letter: Delivery) -> None:
    assert send(post(event(letter, "opened"))) == 200
    assert db.session.query(Return).count() == 0


def test_the_same_post_and_the_same_event_count_once(send: Send, letter: Delivery) -> None:
    assert send(post(event(letter))) == 200
    assert send(post(event(letter))) == 200
    assert send(post(event(letter), token="b" * 50)) == 200
    assert db.session.query(Return).count() == 1


def test_a_token_is_good_for_one_body_only(send: Send, letter: Delivery) -> None:
    other = make.delivery("bo@example.org", state=DeliveryState.SENT)
    assert send(post(event(letter))) == 200
    assert send(post(event(other))) == 406
    assert state(other) == "sent"
    assert reasons() == ["Malformed"]


@pytest.mark.parametrize("away", [-FRESH, FRESH, timedelta(days=300)])
def test_what_was_signed_long_ago_or_ahead_is_refused(
    send: Send, letter: Delivery, away: timedelta
) -> None:
    assert send(post(event(letter), at=NOON + away)) == 406
    assert state(letter) == "unknown"


def test_tokens_are_forgotten_once_their_time_is_over(send: Send, letter: Delivery) -> None:
    send(post(event(letter)))
    mailhooks.sweep(NOON + FRESH)
    assert db.session.query(UsedToken).count() == 1
    mailhooks.sweep(NOON + 3 * FRESH)
    assert db.session.query(UsedToken).count() == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 406),
        (b"[" * 100_000, 406),
        (b"\xff", 406),
        (b"{}", 401),
        (b'{"signature": [], "event-data": 1}', 401),
        (json.dumps(signed({}, key="another")).encode(), 401),
        (json.dumps(signed(None)).encode(), 406),
        (json.dumps(signed({"event": ["failed"]})).encode(), 406),
    ],
    ids=range(8),
)
def test_what_is_not_signed_or_makes_no_sense_is_refused_and_counted(
    send: Send, letter: Delivery, body: bytes, status: int
) -> None:
    assert send(body) == status
    assert db.session.query(Return).count() == 0
    assert reasons() == [{401: "BadSignature", 406: "Malformed"}[status]]


def test_what_is_too_large_is_refused(app: Flask, letter: Delivery) -> None:
    body = b"x" * (LARGEST_POST + 1)
    assert app.test_client().post("/hooks/mail/mailgun", data=body).status_code == 413


def test_an_unknown_hook_is_not_there(app: Flask) -> None:
    answer = app.test_client().post("/hooks/mail/nobody", data=b"{}")
    assert answer.status_code == 404
    assert answer.json is not None


def test_a_letter_that_is_not_ours_is_counted(send: Send, letter: Delivery) -> None:
    strange = event(letter, message={"headers": {"message-id": "7.0000000000000000@example.org"}})
    assert send(post(strange)) == 200
    assert reasons() == ["not_ours"]
    assert state(letter) == "unknown"


def test_a_hook_is_set_up_by_command(app: Flask, tmp_path: Any) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY + "\n")
    runner = app.test_cli_runner()
    arguments = ["add-mail-hook", "bounces", "--provider", "mailgun", "--secret", str(secret)]
    said = runner.invoke(args=arguments)
    assert said.output == "Address: http://localhost/hooks/mail/bounces\n"
    assert KEY not in db.session.query(MailHook).one().sealed
    assert runner.invoke(args=["remove-mail-hook", "bounces"]).exit_code == 0
    assert runner.invoke(args=["remove-mail-hook", "bounces"]).exit_code == 1


@pytest.mark.parametrize(("name", "secret"), [("X", KEY), ("bounces", "short")])
def test_a_hook_that_cannot_work_is_refused(app: Flask, name: str, secret: str) -> None:
    arguments = ["add-mail-hook", name, "--provider", "mailgun"]
    said = app.test_cli_runner().invoke(args=arguments, input=secret)
    assert said.exit_code == 1
    assert db.session.query(MailHook).count() == 0
