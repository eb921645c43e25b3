"""What an answer's status and look mean, the same for every platform."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from campaigns.platforms import fields
from campaigns.platforms.base import N_, Answer, Busy, Gone, Refused, Unreadable
from campaigns.platforms.fields import Fields

LONGEST_WAIT = timedelta(days=1)
# 418 is a joke that some servers tell robots; 566 and 567 are EdgeOne's, the wall before Tencent.
_REFUSALS = frozenset({401, 403, 418, 451, 566, 567})
_ROBOT_CHECK = re.compile(
    "captcha|edgeone|access denied|request blocked|are you a robot|验证码|安全验证|拦截",
    re.IGNORECASE,
)

# A function's name, also one of an object; some servers put an empty comment before it.
_FUNCTION = re.compile(rb"(?:/\*\*/)?\s*[A-Za-z_$][\w$.]{0,199}\s*")


def body_of(answer: Answer) -> bytes:
    """The body, if the status says that it is what we asked for. Raises the fitting error."""
    status = answer.status
    if status in _REFUSALS:
        raise Refused(N_("The platform refuses to answer us"), status)
    if status in (404, 410):
        raise Gone(N_("The page is not there"), status)
    if status == 429 or status >= 500:
        raise Busy(N_("The platform asks for patience"), status, retry_after=retry_after(answer))
    if status != 200:
        raise Unreadable(N_("The platform answered otherwise than we expected"), status)
    if not answer.body.strip():
        raise Unreadable(N_("The answer is empty."))
    return answer.body


def json_of(answer: Answer) -> Fields:
    """The JSON object in the body, bare or as what a script's function is called with (JSONP).

    Raises `Unreadable`, or `Refused` for a robot check.
    """
    body = without_call(body_of(answer))
    if body.lstrip().startswith(b"<"):
        refuse_robot_check(body.decode("utf-8", "replace"))
        raise Unreadable(N_("The answer is a page where we expected JSON."))
    return fields.parse(body, Unreadable)


def without_call(body: bytes) -> bytes:
    """What stands between the outer parentheses of `callback({…});`; anything else as it is."""
    bare = body.removeprefix(b"\xef\xbb\xbf").strip()
    name, opened, rest = bare.partition(b"(")
    inner, closed, end = rest.rpartition(b")")
    is_call = opened and closed and _FUNCTION.fullmatch(name) and not end.strip(b"; \t\r\n")
    return inner if is_call else body


def refuse_robot_check(page: str) -> None:
    """Raises `Refused` if a page that is not what we expected asks whether we are human."""
    if found := _ROBOT_CHECK.search(page):
        raise Refused(N_("The platform shows a robot check instead"), found.group())


def retry_after(answer: Answer) -> timedelta | None:
    """How long `Retry-After` asks us to wait (RFC 9110, 10.2.3), a day at the most."""
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return min(timedelta(seconds=int(value)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return _within(moment.replace(tzinfo=moment.tzinfo or UTC) - answer.asked_at)


def moment_of(stated: datetime, answer: Answer) -> datetime:
    """When a figure is true that says so itself. Raises `Unreadable` if that is still to come."""
    if stated > answer.asked_at + timedelta(minutes=5):
        raise Unreadable(N_("The figure is dated in the future"), f"{stated:%Y-%m-%d %H:%M} UTC")
    return min(stated, answer.asked_at)


def _within(wait: timedelta) -> timedelta:
    return max(timedelta(0), min(wait, LONGEST_WAIT))
