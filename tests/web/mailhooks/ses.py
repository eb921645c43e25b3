"""Posts as Amazon SNS makes them of what SES tells, by a key of our own."""

import base64
import functools
import json
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from campaigns.mail.verp import bounce_address
from campaigns.model.delivery import Delivery
from config import settings
from tests.make import NOON

TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
SNS = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{SNS}/SimpleNotificationService-0000000000000000000000.pem"
CONFIRM = f"{SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
SIGNER = "sns.amazonaws.com"


@functools.cache
def key(name: str) -> tuple[RSAPrivateKey, bytes]:
    """A private key and its certificate."""
    private = generate_private_key(65537, 2048)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=1))
    )
    return private, made.sign(private, SHA256()).public_bytes(Encoding.PEM)


def event(of: Delivery, what: str = "Bounce", **more: Any) -> dict[str, Any]:
    """That a letter failed for good, since there is no such user."""
    sender = bounce_address(of.id, settings().address_pepper, "updates.example.org")
    recipient = {
        "emailAddress": "ada@example.org",
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 no such user ada@example.org",
    }
    bounce = {
        "feedbackId": "0102-77",
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [recipient],
    }
    mail = {"messageId": "0102017-000000", "source": sender}
    return {"notificationType": what, "bounce": bounce, "mail": mail} | more


def post(data: object, **more: Any) -> bytes:
    """A notification of data; `more` are fields of SNS, and who signs."""
    return notice({"Type": "Notification", "Message": json.dumps(data)}, **more)


def confirmation(**more: Any) -> bytes:
    fields = {"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe."}
    return notice({**fields, "SubscribeURL": CONFIRM, "Token": "2336412f37"}, **more)


def notice(fields: dict[str, Any], by: str = SIGNER, version: str = "2", **more: Any) -> bytes:
    whole = {
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "Timestamp": "2026-03-01T04:00:00.000Z",
        "TopicArn": TOPIC,
        **fields,
        **more,
    }
    signed = "".join(f"{name}\n{whole[name]}\n" for name in sorted(whole))
    signature = key(by)[0].sign(
        signed.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256()  # noqa: S303
    )  # fmt: skip
    beside = {"SignatureVersion": version, "SigningCertURL": CERTIFICATE}
    return json.dumps(whole | {"Signature": base64.b64encode(signature).decode()} | beside).encode()
