"""Posts as Postmark makes them."""

import json
from typing import Any

from campaigns.model.delivery import Delivery
from tests.web.mailhooks import mailgun

KEY = "a-password-that-only-tests-use"
AUTH = ("postmark", KEY)


def named(of: Delivery) -> str:
    """What Postmark repeats of the header X-PM-Metadata-letter."""
    return mailgun.named(of).partition("@")[0]


def event(of: Delivery, what: str = "Bounce", **more: Any) -> dict[str, Any]:
    """That a letter failed for good, since there is no such user."""
    return {
        "RecordType": what,
        "ID": 692560173 + 2**60,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Details": "smtp;550 5.1.1 no such user ada@example.org",
        "Email": "ada@example.org",
        "Inactive": True,
        "Metadata": {"letter": named(of)},
    } | more


def post(data: object) -> bytes:
    return json.dumps(data).encode()
