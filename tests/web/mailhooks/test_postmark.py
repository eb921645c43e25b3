"""What is Postmark's own: the password, our id in its metadata, kinds of bounces."""

from typing import Any

import pytest
from flask import Flask

from campaigns import mailhooks
from campaigns.db import db
from campaigns.mail.postmark import marked
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import SmtpTransport
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.returned import Return
from tests import make
from tests.claiming import state
from tests.make import NOON
from tests.web.mailhooks.conftest import Send
from tests.web.mailhooks.postmark import AUTH, KEY, event, post


@pytest.fixture
def letter(app: Flask) -> Delivery:
    mailhooks.setup("mailgun", "postmark", KEY, NOON)
    return make.delivery("ada@example.org", state=DeliveryState.UNKNOWN)


@pytest.mark.parametrize("auth", [None, ("postmark", ""), ("postmark", KEY[:-1]), (KEY, "x" * 30)])
def test_a_wrong_password_may_be_put_right(
    send: Send, letter: Delivery, auth: tuple[str, str] | None
) -> None:
    assert send(post(event(letter)), auth=auth) == 401
    assert state(letter) == "unknown"
    assert send(post(event(letter)), auth=AUTH) == 200


def test_what_makes_no_sense_is_not_to_come_again(send: Send, letter: Delivery) -> None:
    assert send(b'{"RecordType": []}', auth=AUTH) == 403


@pytest.mark.parametrize(
    ("more", "meaning"),
    [
        ({"Details": "smtp;550 user unknown"}, "hard"),
        ({"Details": "smtp;550 5.0.0 refused"}, "hard"),
        ({"Details": "smtp;550 5.7.1 refused"}, "policy"),
        ({"Type": "BadEmailAddress", "Details": ""}, "hard"),
        ({"Type": "SoftBounce", "Details": "smtp;452 4.2.2 full"}, "soft"),
        ({"Type": "Transient"}, "delayed"),
        ({"Type": "AutoResponder"}, "auto_reply"),
        ({"Type": "Unsubscribe"}, "complaint"),
        ({"Type": "SpamNotification"}, "policy"),
        ({"Type": "ManuallyDeactivated", "Details": ""}, "soft"),
        ({"Type": "NewOne", "Details": ""}, "soft"),
    ],
)
def test_each_kind_of_bounce_means_what_postmark_means(
    send: Send, letter: Delivery, more: dict[str, Any], meaning: str
) -> None:
    assert send(post(event(letter, **more)), auth=AUTH) == 200
    assert [row.meaning for row in db.session.query(Return)] == [meaning]


@pytest.mark.parametrize(
    ("origin", "reason", "counts"),
    [
        ("Recipient", "ManualSuppression", 1),
        ("Recipient", "HardBounce", 0),
        ("Customer", "ManualSuppression", 0),
    ],
)
def test_whoever_leaves_by_postmarks_own_link_is_left_alone(
    send: Send, letter: Delivery, origin: str, reason: str, counts: int
) -> None:
    left = {"SuppressSending": True, "Origin": origin, "SuppressionReason": reason}
    assert send(post(event(letter, "SubscriptionChange", **left)), auth=AUTH) == 200
    assert db.session.query(Return).count() == counts


def test_a_letter_carries_its_own_id_to_postmark_alone() -> None:
    message = b"To: a@example.org\r\nMessage-ID: <7.0123456789abcdef@example.org>\r\n\r\nhello\r\n"
    own = b"X-PM-KeepID: true\r\nX-PM-Metadata-letter: 7.0123456789abcdef\r\n"
    assert marked(message) == own + message
    assert marked(b"To: a@example.org\r\n\r\nhello") == b"To: a@example.org\r\n\r\nhello"
    for host, dressed in (("smtp.postmarkapp.com", True), ("postmarkapp.com.example", False)):
        transport = SmtpTransport(Relay.parse(f"smtp://{host}:587"))
        assert (transport._dress is marked) is dressed
