"""Mailgun: events of letters that left by it, signed in the body by the account's signing key."""

import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Any

from campaigns.mail import returned, status
from campaigns.mail.hook import (
    FRESH,
    BadSignature,
    Beside,
    Event,
    Malformed,
    Post,
    PostError,
    inner,
    parsed,
    words,
)
from campaigns.mail.returned import Said
from campaigns.mail.status import Meaning

LABEL = "Mailgun"
# The account's HTTP webhook signing key.
SECRET = re.compile(r"\S{8,200}")
OURS = False
# 406 tells Mailgun not to come again. One that is not signed may be so once the key is right.
REFUSED: dict[type[PostError], int] = {BadSignature: 401, Malformed: 406}
# Reasons by which it did not even try, because of what came back earlier.
_SUPPRESSED = {"suppress-complaint": Meaning.COMPLAINT, "suppress-bounce": Meaning.SOFT}


def read(body: bytes, secret: str, now: datetime, beside: Beside) -> Post:
    """Verify and read a post; raises `BadSignature` and `Malformed`.

    The signature covers a time and a token and not the event, so the token is good for one body
    only, which whoever takes the post sees to.
    """
    post = parsed(body)
    signature = inner(post.get("signature"))
    time, token = words(signature.get("timestamp")), words(signature.get("token"))
    expected = hmac.new(secret.encode(), (time + token).encode(), sha256).hexdigest()
    if not token or not hmac.compare_digest(
        expected.encode(), words(signature.get("signature")).encode()
    ):
        raise BadSignature("The signature does not hold.")
    if not _is_fresh(time, now):
        raise Malformed("It was signed days ago.")
    data = inner(post.get("event-data"))
    if not words(data.get("event")):
        raise Malformed("It tells of no event.")
    said = _said(data)
    return Post((_event(data, said),) if said else (), once=token)


def _is_fresh(time: str, now: datetime) -> bool:
    plain = time.isascii() and time.isdecimal() and len(time) < 12
    return plain and abs(now.timestamp() - int(time)) < FRESH.total_seconds()


def _event(data: dict[str, Any], said: Said) -> Event:
    headers = inner(inner(data.get("message")).get("headers"))
    named = words(headers.get("message-id"))
    known = words(data.get("id")) or f"{named} {said.meaning} {words(data.get('timestamp'))}"
    return Event(sha256(f"mailgun {known}".encode()).hexdigest(), (named,), said)


def _said(data: dict[str, Any]) -> Said | None:
    """What it means for the letter; None if it is about something else, such as a link opened."""
    match words(data.get("event")):
        case "failed":
            return _failed(data)
        case "complained":
            return Said(Meaning.COMPLAINT)
        case "delivered":
            return Said(Meaning.DELIVERED)
    return None


def _failed(data: dict[str, Any]) -> Said:
    told = inner(data.get("delivery-status"))
    code = words(told.get("code"))
    answer = words(told.get("message")) or words(told.get("description"))
    answer = answer if answer.startswith(code) else f"{code} {answer}"
    given = status.enhanced(words(told.get("enhanced-code"))) or status.enhanced(answer)
    if words(data.get("severity")) != "permanent":
        meaning = Meaning.DELAYED
    else:
        meaning = _SUPPRESSED.get(words(data.get("reason"))) or status.refusal(given, answer)
    return Said(meaning, given, returned.answer(answer))
