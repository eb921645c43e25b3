"""Composing: a letter serialised once per language and filled in for each recipient.

Building an EmailMessage per recipient costs over a millisecond; filling takes microseconds.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from campaigns.mail import bodies, headers, marks
from campaigns.mail.address import Mailbox

# Neither base64 nor quoted-printable can produce "=_", so no body contains it (RFC 2045 §6.7).
_BOUNDARY = b"=_alternative"
_MESSAGE_ID = re.compile(r"<[!-;=?A-Z\[-~]{1,120}@[!-;=?A-Z\[-~]{1,120}>")
_URL = re.compile(r"[!-;=?-~]{1,400}")


class MissingField(KeyError):
    """The letter has a mark for a field that this recipient's parts do not give."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What all recipients of one language share. Marks may stand in subject, text and HTML.

    `list_id` is the list's name and id (RFC 2919), given for mailings and absent from service
    letters; `archive` is where its earlier letters can be read (RFC 2369). `extra` are further
    headers, such as Feedback-ID.
    """

    sender: Mailbox
    subject: str
    text: str
    html: str
    reply_to: Mailbox | None = None
    list_id: tuple[str, str] | None = None
    archive: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one recipient's copy has to itself. `fields` fill the marks; HTML is escaped here.

    `unsubscribe` is the link for one-click leaving (RFC 8058) and `unsubscribe_by_mail` a
    mailto: address; service letters have neither.
    """

    to: Mailbox
    message_id: str
    date: datetime
    fields: Mapping[str, str] = field(default_factory=dict)
    unsubscribe: str | None = None
    unsubscribe_by_mail: str | None = None


class Template:
    """A composed letter. `fields` are those that its marks ask for. Any thread may fill it."""

    def __init__(self, letter: Letter) -> None:
        text = bodies.body(letter.text)
        rich = bodies.body(letter.html, html.escape)
        self.fields = marks.names(letter.subject + letter.text + letter.html)
        self._shared = _shared_headers(letter)
        self._subject = _subject(letter.subject)
        self._text, self._html = text, rich
        self._before_text = _multipart() + _part(b"plain", text)
        self._before_html = _part(b"html", rich)

    def fill(self, parts: Parts) -> bytes:
        """One recipient's message, with CR LF. Raises `MissingField`.

        The same parts give the same octets. `ValueError`: an unfit Message-ID or link.
        """
        fields = parts.fields
        try:
            return b"".join(
                (
                    _own_headers(parts),
                    self._subject(fields),
                    self._shared,
                    self._before_text,
                    self._text.filled(fields),
                    self._before_html,
                    self._html.filled(fields),
                    b"--" + _BOUNDARY + b"--\r\n",
                )
            )
        except KeyError as error:
            raise MissingField(*error.args) from None


def _subject(text: str) -> Callable[[Mapping[str, str]], bytes]:
    """What makes the header line; one without marks is made once."""
    fixed, *rest = marks.pieces(text)
    if not rest:
        line = headers.header("Subject", fixed)
        return lambda _: line
    pairs = list(zip(rest[::2], rest[1::2], strict=True))

    def filled(fields: Mapping[str, str]) -> bytes:
        own = "".join(fields[name] + then for name, then in pairs)
        return headers.header("Subject", fixed + own)

    return filled


def _shared_headers(letter: Letter) -> bytes:
    lines = [headers.mailbox("From", letter.sender.name, letter.sender.address.wire)]
    if letter.reply_to:
        lines.append(
            headers.mailbox("Reply-To", letter.reply_to.name, letter.reply_to.address.wire)
        )
    if letter.list_id:
        lines.append(headers.mailbox("List-Id", *letter.list_id))
        lines.append(headers.header("Precedence", "bulk"))
    if letter.archive:
        lines.append(_link("List-Archive", letter.archive).encode("ascii"))
    lines += [headers.header(name, text) for name, text in letter.extra.items()]
    return b"".join([*lines, headers.header("Auto-Submitted", "auto-generated")])


def _own_headers(parts: Parts) -> bytes:
    if not _MESSAGE_ID.fullmatch(parts.message_id):
        raise ValueError("A Message-ID looks like <delivery.1.0a2b@example.org>.")
    to = headers.mailbox("To", parts.to.name, parts.to.address.wire)
    date = _date(parts.date.replace(microsecond=0))
    own = f"Date: {date}\r\nMessage-ID: {parts.message_id}\r\n{_unsubscribe(parts)}"
    return to + own.encode("ascii")


def _unsubscribe(parts: Parts) -> str:
    links = [link for link in (parts.unsubscribe, parts.unsubscribe_by_mail) if link]
    if not links:
        return ""
    line = _link("List-Unsubscribe", *links)
    one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return line + one_click if parts.unsubscribe else line


def _link(name: str, *links: str) -> str:
    if not all(_URL.fullmatch(link) for link in links):
        raise ValueError("A link in a header is printable ASCII without angle brackets.")
    # One line however long: folded, it broke DKIM signatures on the way (nodemailer#1654).
    return f"{name}: {', '.join(f'<{link}>' for link in links)}\r\n"


def _multipart() -> bytes:
    kind = b'multipart/alternative; boundary="' + _BOUNDARY + b'"'
    return b"MIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n"


def _part(subtype: bytes, body: bodies.Body) -> bytes:
    kind = b"Content-Type: text/" + subtype + b"; charset=utf-8\r\n"
    encoding = b"Content-Transfer-Encoding: " + body.encoding + b"\r\n\r\n"
    return b"--" + _BOUNDARY + b"\r\n" + kind + encoding


@lru_cache(maxsize=16)
def _date(moment: datetime) -> str:
    return format_datetime(moment)
