"""Posts as Mailgun makes them."""

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from campaigns.mail.verp import message_id
from campaigns.model.delivery import Delivery
from config import settings
from tests.make import NOON

KEY = "key-that-only-tests-use"


def named(of: Delivery) -> str:
    """The letter's Message-ID as Mailgun repeats it, without brackets."""
    return message_id(of.id, settings().address_pepper, "updates.example.org").strip("<>")


def event(of: Delivery, what: str = "failed", **more: Any) -> dict[str, Any]:
    """That a letter failed for good, since there is no such user."""
    return {
        "event": what,
        "id": "W3X4JOhFT-OZidZGKKr9iA",
        "severity": "permanent",
        "reason": "bounce",
        "recipient": "ada@example.org",
        "delivery-status": {"code": 550, "message": "5.1.1 no such user ada@example.org"},
        "message": {"headers": {"message-id": named(of)}},
    } | more


def signed(
    data: object, key: str = KEY, token: str = "a" * 50, at: datetime = NOON
) -> dict[str, Any]:
    time = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), (time + token).encode(), sha256).hexdigest()
    return {
        "signature": {"timestamp": time, "token": token, "signature": signature},
        "event-data": data,
    }


def post(data: object, **more: Any) -> bytes:
    return json.dumps(signed(data, **more)).encode()
