"""What is Amazon's own: topics, certificates, signatures, subscriptions, kinds of bounces."""

from typing import Any

import pytest
from flask import Flask

from campaigns import mailhooks
from campaigns.db import db
from campaigns.mail.hook import Unavailable
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mail_hook import MailHook
from campaigns.model.returned import Return
from tests import make
from tests.claiming import state
from tests.make import NOON
from tests.web.mailhooks.conftest import Send
from tests.web.mailhooks.mailgun import named
from tests.web.mailhooks.ses import (
    CERTIFICATE,
    CONFIRM,
    SIGNER,
    SNS,
    TOPIC,
    confirmation,
    event,
    key,
    post,
)


class Amazon:
    """What SNS publishes, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages = {CERTIFICATE: key(SIGNER)[1], CONFIRM: b"<ConfirmSubscriptionResponse/>"}

    def kept(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.pages:
            raise Unavailable("It answers 404.")
        return self.pages[url]

    fetch = kept


@pytest.fixture
def amazon(app: Flask) -> Amazon:
    mailhooks.setup("mailgun", "ses", TOPIC, NOON)
    app.extensions["published"] = found = Amazon()
    return found


@pytest.fixture
def letter(amazon: Amazon) -> Delivery:
    return make.delivery("ada@example.org", state=DeliveryState.UNKNOWN)


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_of_its_signatures_are_known(send: Send, letter: Delivery, version: str) -> None:
    assert send(post(event(letter), version=version)) == 200
    assert state(letter) == "bounced"


def test_a_subject_is_signed_too(send: Send, letter: Delivery) -> None:
    assert send(post(event(letter), Subject="Amazon SES Email Event Notification")) == 200


@pytest.mark.parametrize(
    "change",
    [
        (b"no such user", b"no such usher"),
        (b'"Timestamp": "2026', b'"Timestamp": "2025'),
        (b'"SignatureVersion": "2"', b'"SignatureVersion": "1"'),
        (b'"SignatureVersion": "2"', b'"SignatureVersion": "3"'),
        (b'"Signature": "', b'"Signature": "?'),
        (b'"Type": "Notification"', b'"Type": "Confirmation"'),
    ],
    ids=range(6),
)
def test_whatever_was_changed_is_refused(
    send: Send, letter: Delivery, change: tuple[bytes, bytes]
) -> None:
    body = post(event(letter))
    assert change[0] in body
    assert send(body.replace(*change)) == 403
    assert state(letter) == "unknown"


def test_another_topic_is_refused_before_anything_is_asked_for(
    send: Send, amazon: Amazon, letter: Delivery
) -> None:
    assert send(post(event(letter), TopicArn=TOPIC + "-of-somebody")) == 403
    assert amazon.asked == []


@pytest.mark.parametrize(
    "address",
    [
        CERTIFICATE.replace("https", "http"),
        CERTIFICATE.replace("amazonaws.com", "amazonaws.com.example.org"),
        CERTIFICATE.replace("https://sns", "https://example.org/sns"),
        CERTIFICATE.replace("eu-west-1", "us-east-1"),
        CERTIFICATE.replace("sns.", "user@sns."),
        CERTIFICATE.replace(".pem", ".txt"),
        CERTIFICATE.replace("amazonaws.com", "amazonaws.com:8443"),
        "",
    ],
)
def test_a_certificate_is_asked_for_at_sns_in_the_topics_region_only(
    send: Send, amazon: Amazon, letter: Delivery, address: str
) -> None:
    body = post(event(letter)).replace(CERTIFICATE.encode(), address.encode())
    assert send(body) == 403
    assert amazon.asked == []


@pytest.mark.parametrize("page", [key("somebody else")[1], b"", b"-----BEGIN CERTIFICATE-----"])
def test_another_certificate_proves_nothing(
    send: Send, amazon: Amazon, letter: Delivery, page: bytes
) -> None:
    amazon.pages[CERTIFICATE] = page
    assert send(post(event(letter))) == 403


def test_it_may_come_again_while_the_certificate_cannot_be_had(
    app: Flask, amazon: Amazon, letter: Delivery
) -> None:
    del amazon.pages[CERTIFICATE]
    db.session.commit()
    answer = app.test_client().post("/hooks/mail/mailgun", data=post(event(letter)))
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_a_subscription_is_confirmed_once_it_is_known_to_be_sns(send: Send, amazon: Amazon) -> None:
    assert send(confirmation()) == 200
    assert amazon.asked == [CERTIFICATE, CONFIRM]
    assert db.session.query(MailHook).one().heard_at == NOON


@pytest.mark.parametrize(
    "address", ["https://example.org/", "http://127.0.0.1/", SNS.replace("eu", "us") + "/?a"]
)
def test_a_subscription_is_confirmed_nowhere_else(send: Send, amazon: Amazon, address: str) -> None:
    assert send(confirmation(SubscribeURL=address)) == 400
    assert amazon.asked == [CERTIFICATE]


def test_a_confirmation_that_fails_is_to_come_again(
    app: Flask, amazon: Amazon, letter: Delivery
) -> None:
    del amazon.pages[CONFIRM]
    db.session.commit()
    assert app.test_client().post("/hooks/mail/mailgun", data=confirmation()).status_code == 503


def bounce(**more: Any) -> dict[str, Any]:
    recipient = {"emailAddress": "ada@example.org", "diagnosticCode": more.pop("said", "")}
    return {"bounce": {"feedbackId": "1", "bouncedRecipients": [recipient]} | more}


@pytest.mark.parametrize(
    ("what", "more", "meaning"),
    [
        ("Bounce", bounce(said="smtp; 550 5.1.1 unknown"), "hard"),
        ("Bounce", bounce(bounceType="Permanent", bounceSubType="Suppressed"), "soft"),
        ("Bounce", bounce(bounceSubType="ContentRejected", said="550 5.6.0 no"), "policy"),
        ("Bounce", bounce(bounceType="Transient", said="smtp; 452 4.2.2 full"), "soft"),
        ("Bounce", bounce(said="smtp; 554 5.7.1 spam"), "policy"),
        ("Complaint", {"complaint": {"complaintFeedbackType": "abuse"}}, "complaint"),
        ("Complaint", {"complaint": {"complaintFeedbackType": "virus"}}, "not_understood"),
        ("Complaint", {"complaint": {"complaintFeedbackType": "not-spam"}}, None),
        ("DeliveryDelay", {}, "delayed"),
        ("Reject", {"reject": {"reason": "Bad content"}}, "policy"),
    ],
)
def test_each_event_means_what_ses_means(
    send: Send, letter: Delivery, what: str, more: dict[str, Any], meaning: str | None
) -> None:
    assert send(post(event(letter, what, **more))) == 200
    assert [row.meaning for row in db.session.query(Return)] == ([meaning] if meaning else [])


def test_events_of_a_configuration_set_are_the_same(send: Send, letter: Delivery) -> None:
    data = event(letter)
    data["eventType"] = data.pop("notificationType")
    assert send(post(data)) == 200
    assert state(letter) == "bounced"


def test_a_letter_is_known_by_its_own_message_id_too(send: Send, letter: Delivery) -> None:
    headers = [{"name": "Message-ID", "value": f"<{named(letter)}>"}, "nonsense"]
    mail = {"messageId": "0102", "source": "somebody@example.org", "headers": headers}
    assert send(post(event(letter, mail=mail))) == 200
    assert state(letter) == "bounced"
