"""Parts of a message that anybody may have written: read within bounds, whatever stands in it."""

import email
import re
from collections.abc import Iterator
from email.message import Message
from email.policy import Compat32
from typing import Any

# What says why a letter came back stands before the letter itself, which needs no reading.
LARGEST = 256 * 1024
LONGEST_HEADER = 2000
MOST_PARTS, MOST_NESTED = 50, 20
_MULTIPART = re.compile(rb"multipart/", re.IGNORECASE)
_WITHIN = re.compile(r"\s*message/", re.IGNORECASE)
# What the parser is told that a message within a message is, so that it leaves it as it came.
_LEAF = "application/x-message-"
_BLANK = re.compile(r"\r?\n[ \t]*\r?\n")


class _Bounded(Compat32):
    """Cuts headers before anything looks into them: reading their parameters is quadratic.

    The library's newer policy reads headers by their grammar, and raises on bad ones.
    """

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        value = value[:LONGEST_HEADER]
        if name.strip().lower() == "content-type":
            value = _WITHIN.sub(_LEAF, value, count=1)
        return name, value


_POLICY: Any = _Bounded()


def opened(message: bytes) -> Message:
    """A message with its parts. More than `LARGEST` octets are not read.

    One that nests deeper than letters do is taken for its headers alone.
    """
    message = message[:LARGEST]
    if len(_MULTIPART.findall(message)) > MOST_NESTED:
        head = re.split(rb"\r?\n\r?\n", message, maxsplit=1)[0]
        message = re.sub(rb"(?im)^content-type:", b"X-Unread:", head) + b"\r\n\r\n"
    return email.message_from_bytes(message, policy=_POLICY)


def leaves(message: Message) -> Iterator[tuple[str, str]]:
    """The type and text of each part that is not made of parts, the first `MOST_PARTS` of them.

    A message within the message is one: "message/rfc822" and its text.
    """
    for number, part in enumerate(message.walk()):
        if number == MOST_PARTS:
            return
        if not part.is_multipart():
            kind = part.get_content_type()
            yield kind.replace(_LEAF, "message/", 1), _text(part)


def kind(message: Message) -> str:
    return message.get_content_type()


def header(message: Message, name: str) -> str:
    """A header as it stands, on one line; empty if there is none."""
    return plain(message.get(name))


def headers(message: Message, name: str) -> list[str]:
    """Every header of a name, the first twenty."""
    return [plain(value) for value in message.get_all(name, [])[:20]]


def fields(text: str) -> dict[str, str]:
    """A block of headers, by their names in small letters; of several of a name the first."""
    read = email.message_from_string(text, policy=_POLICY)
    found: dict[str, str] = {}
    for name, value in read.items():
        found.setdefault(name.lower(), plain(value))
    return found


def blocks(text: str) -> list[str]:
    """Text cut at its blank lines."""
    return [block for block in _BLANK.split(text, maxsplit=MOST_PARTS) if block.strip()]


def plain(value: object) -> str:
    """Printable, on one line, without what could not be decoded."""
    if value is None:
        return ""
    text = str(value).encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _text(part: Message) -> str:
    try:
        octets = part.get_payload(decode=True)
    except (ValueError, AssertionError):  # what an encoding that is none ends in
        octets = None
    if not isinstance(octets, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        return octets.decode(charset if charset != "gb2312" else "gb18030", "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")
