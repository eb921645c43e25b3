"""Amazon SES: events of letters, as Simple Notification Service posts and signs them."""

import hmac
import re
from datetime import datetime
from hashlib import sha256
from typing import Any

from campaigns.mail import returned, sns, status
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

LABEL = "Amazon SES"
# The topic's ARN: everybody may have a topic of their own signed, so it tells ours from theirs.
SECRET = re.compile(
    r"arn:aws[a-z-]{0,20}:sns:(?P<region>[a-z0-9-]{3,40}):[0-9]{12}:[\w.-]{1,256}", re.ASCII
)
OURS = False
# SNS comes again after 5xx only.
REFUSED: dict[type[PostError], int] = {BadSignature: 403, Malformed: 400}
# What a provider says that is neither against the letter nor against the address.
_OURS_TO_MEND = frozenset({"ContentRejected", "AttachmentRejected"})
# It did not even try, because of what came back earlier; once more is no news of the address.
_SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})
# Of the types of RFC 5965 §7.3 those by which a person says that they do not want it.
_UNWANTED = frozenset({"", "abuse", "fraud", "other", "opt-out"})


def read(body: bytes, secret: str, now: datetime, beside: Beside) -> Post:
    """Verify and read a post; raises `BadSignature`, `Malformed` and `Unavailable`.

    The topic is compared first, so that nobody makes us fetch a certificate who does not know it.
    A post that comes again tells the same event, which counts once.
    """
    post = parsed(body)
    topic = SECRET.fullmatch(secret)
    if topic is None or not hmac.compare_digest(
        words(post.get("TopicArn")).encode(), secret.encode()
    ):
        raise BadSignature("It is of another topic.")
    sns.verify(post, topic["region"], beside.fetch)
    match words(post.get("Type")):
        case "SubscriptionConfirmation":
            return Post(visit=sns.confirmation(post, topic["region"]))
        case "Notification":
            told = parsed(words(post.get("Message")).encode())
            return Post(tuple(_events(told)))
    return Post()


def _events(told: dict[str, Any]) -> list[Event]:
    said = _said(told)
    mail = inner(told.get("mail"))
    if said is None:
        return []
    kind = _kind(told)
    about = inner(told.get(kind[:1].lower() + kind[1:]))
    known = words(about.get("feedbackId")) or f"{words(mail.get('messageId'))} {kind}"
    key = sha256(f"ses {known}".encode()).hexdigest()
    return [Event(key, tuple(_letters(mail)), said, (words(mail.get("source")),))]


def _kind(told: dict[str, Any]) -> str:
    """As notifications of an identity name it, or as a configuration set does."""
    return words(told.get("notificationType")) or words(told.get("eventType"))


def _letters(mail: dict[str, Any]) -> list[str]:
    """Our Message-ID, where the original headers are included: SES itself puts another one in."""
    headers = mail.get("headers")
    named = [inner(header) for header in headers] if isinstance(headers, list) else []
    own = [words(one.get("value")) for one in named if _is_id(words(one.get("name")))]
    return [*own, words(inner(mail.get("commonHeaders")).get("messageId"))]


def _is_id(name: str) -> bool:
    return name.lower() == "message-id"


def _said(told: dict[str, Any]) -> Said | None:
    """What it means for the letter; None if it is about something else, such as a link opened."""
    match _kind(told):
        case "Bounce":
            return _bounced(inner(told.get("bounce")))
        case "Complaint":
            return _complained(inner(told.get("complaint")))
        case "Delivery":
            return Said(Meaning.DELIVERED)
        case "DeliveryDelay":
            return Said(Meaning.DELAYED)
        case "Reject":
            return Said(Meaning.POLICY, "", returned.answer(_reason(told)))
    return None


def _bounced(bounce: dict[str, Any]) -> Said:
    """A letter of ours has one recipient, so the first is theirs."""
    recipients = bounce.get("bouncedRecipients")
    first = inner(recipients[0]) if isinstance(recipients, list) and recipients else {}
    answer = words(first.get("diagnosticCode")).removeprefix("smtp; ")
    given = status.enhanced(words(first.get("status"))) or status.enhanced(answer)
    kind = words(bounce.get("bounceSubType"))
    if kind in _OURS_TO_MEND:
        meaning = Meaning.POLICY
    elif kind in _SUPPRESSED:
        meaning = Meaning.SOFT
    else:
        meaning = status.refusal(given, answer)
    return Said(meaning, given, returned.answer(answer))


def _complained(complaint: dict[str, Any]) -> Said | None:
    kind = words(complaint.get("complaintFeedbackType"))
    if kind == "not-spam":
        return None
    return Said(Meaning.COMPLAINT if kind in _UNWANTED else Meaning.NOT_UNDERSTOOD)


def _reason(told: dict[str, Any]) -> str:
    return words(inner(told.get("reject")).get("reason"))
