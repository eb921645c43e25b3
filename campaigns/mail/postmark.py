"""Postmark: events of letters that left by it, known by a password in the hook's address.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Any

from campaigns.mail import returned, status
from campaigns.mail.hook import (
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

LABEL = "Postmark"
# It stands in the address, so nothing in it may need to be escaped there.
SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
OURS = True
# 403 tells Postmark not to come again. A wrong password may be put right.
REFUSED: dict[type[PostError], int] = {BadSignature: 401, Malformed: 403}
RELAY = "postmarkapp.com"
# Postmark gives letters an id of its own and tells events by that one. It leaves ours in the letter
# if asked to, and repeats metadata, which are at most 80 characters and leave with no letter.
_METADATA = "letter"
_ID = re.compile(rb"^Message-ID: (<([0-9]{1,19}\.[0-9a-f]{16})@[^\r\n]{1,255}>)\r$", re.MULTILINE)
_MOST_HEADERS = 16 * 1024
# Kinds of bounce by name. What is not here is read from the relay's words.
_KINDS = {
    "Transient": Meaning.DELAYED,
    "AutoResponder": Meaning.AUTO_REPLY,
    "AddressChange": Meaning.AUTO_REPLY,
    "ChallengeVerification": Meaning.AUTO_REPLY,
    # A person wrote back that they want no more.
    "Unsubscribe": Meaning.COMPLAINT,
    "SpamComplaint": Meaning.COMPLAINT,
    "SpamNotification": Meaning.POLICY,
    "VirusNotification": Meaning.POLICY,
    "Blocked": Meaning.POLICY,
    "DMARCPolicy": Meaning.POLICY,
    "Unconfirmed": Meaning.POLICY,
    "SMTPApiError": Meaning.POLICY,
    "TemplateRenderingFailed": Meaning.POLICY,
    # It did not even try, because of what came back earlier.
    "ManuallyDeactivated": Meaning.SOFT,
    "Subscribe": Meaning.NOT_UNDERSTOOD,
    "OpenRelayTest": Meaning.NOT_UNDERSTOOD,
    "InboundError": Meaning.NOT_UNDERSTOOD,
    "Unknown": Meaning.NOT_UNDERSTOOD,
}
_NO_SUCH_ADDRESS = frozenset({"HardBounce", "BadEmailAddress"})


def marked(message: bytes) -> bytes:
    """A letter of ours as Postmark is to get it, so that it can tell us of it by our own id."""
    found = _ID.search(message[:_MOST_HEADERS])
    if found is None:
        return message
    return b"X-PM-KeepID: true\r\nX-PM-Metadata-letter: %s\r\n%s" % (found[2], message)


def read(body: bytes, secret: str, now: datetime, beside: Beside) -> Post:
    """Verify and read a post; raises `BadSignature` and `Malformed`.

    Nothing is signed: whoever has the password can tell us whatever they like. An event that comes
    again counts once.
    """
    if not hmac.compare_digest(beside.password.encode(), secret.encode()):
        raise BadSignature("The password is not this hook's.")
    post = parsed(body)
    kind = words(post.get("RecordType"))
    if not kind:
        raise Malformed("It tells of no event.")
    said = _said(kind, post)
    if said is None:
        return Post()
    known = words(post.get("ID")) or words(post.get("MessageID"))
    key = sha256(f"postmark {kind} {known}".encode()).hexdigest()
    named = words(inner(post.get("Metadata")).get(_METADATA))
    return Post((Event(key, (f"{named}@{RELAY}",), said),))


def _said(kind: str, post: dict[str, Any]) -> Said | None:
    """What it means for the letter; None if it is about something else, such as a link opened."""
    match kind:
        case "Bounce":
            return _bounced(post)
        case "SpamComplaint":
            return Said(Meaning.COMPLAINT)
        case "Delivery":
            return Said(Meaning.DELIVERED)
        case "SubscriptionChange":
            return _left(post)
    return None


def _bounced(post: dict[str, Any]) -> Said:
    kind = words(post.get("Type"))
    answer = words(post.get("Details")) or words(post.get("Description"))
    given = status.enhanced(answer)
    meaning = _KINDS.get(kind) or status.refusal(given, answer)
    if kind in _NO_SUCH_ADDRESS and _says_nothing(given):
        meaning = Meaning.HARD
    return Said(meaning, given, returned.answer(answer))


def _says_nothing(given: str) -> bool:
    """A code that is not about anything in particular; then Postmark's own judgement stands."""
    return not given or given.split(".")[1] == "0"


def _left(post: dict[str, Any]) -> Said | None:
    """Whoever leaves by Postmark's own link wants no more; the rest is told by other events."""
    own = words(post.get("Origin")) == "Recipient"
    asked = words(post.get("SuppressionReason")) == "ManualSuppression"
    return (
        Said(Meaning.COMPLAINT) if own and asked and post.get("SuppressSending") is True else None
    )
