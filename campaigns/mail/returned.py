"""Returned messages: what came back for a letter, read from the octets alone.

Reports of delivery (RFC 3464), of abuse (RFC 5965), automatic replies (RFC 3834 and older habits),
and bounces in words, as domestic providers send them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256

from campaigns.mail import parts, status
from campaigns.mail.address import masked
from campaigns.mail.status import Meaning

LONGEST_ANSWER = 500
MOST_RECIPIENTS = 50
# Where mailboxes and relays say to whom a message came, the surest first.
_CAME_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_ADDRESS = re.compile(r"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_ACTIONS = {
    "delayed": Meaning.DELAYED,
    "delivered": Meaning.DELIVERED,
    "relayed": Meaning.DELIVERED,
    "expanded": Meaning.DELIVERED,
}
# Of the types of RFC 5965 §7.3 those by which a person says that they do not want it.
_COMPLAINTS = frozenset({"abuse", "fraud", "other", "opt-out", "opt-out-list"})
_RELAYS = re.compile(r"mailer-daemon|postmaster|mail delivery (?:sub)?system", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{0,2000}>")
_TEXT_SEARCHED = 64 * 1024
# From the one that says the least against an address to the one that says the most.
_MILDEST = (
    Meaning.NOT_UNDERSTOOD,
    Meaning.DELIVERED,
    Meaning.DELAYED,
    Meaning.POLICY,
    Meaning.SOFT,
    Meaning.HARD,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What came back says. `status` is a code such as 5.1.1, `answer` a relay's words, with
    addresses masked; both may be empty."""

    meaning: Meaning
    status: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a letter at one recipient, whose addresses these are."""

    addresses: tuple[str, ...]
    said: Said


@dataclass(frozen=True, slots=True)
class Returned:
    """`came_to` are the addresses that it may have come to and `letters` the Message-IDs of the
    letters it is about, as it says; `key` is the same each time this message comes."""

    said: Said
    came_to: tuple[str, ...]
    letters: tuple[str, ...]
    key: str
    fates: tuple[Fate, ...] = ()

    def about(self, *addresses: str) -> Said:
        """What it says of a letter to these addresses.

        Of several recipients, as where an address stands for a group, those count that are named
        so; if none is, the mildest counts, since we wrote to none of them.
        """
        known = {address.lower() for address in addresses}
        own = [fate.said for fate in self.fates if known.intersection(fate.addresses)]
        some = own or [fate.said for fate in self.fates]
        return min(some, key=lambda one: _MILDEST.index(one.meaning), default=self.said)


def read(message: bytes) -> Returned:
    """Read a message that came back. Never raises: what makes no sense is not understood."""
    opened = parts.opened(message)
    leaves = list(parts.leaves(opened))
    fates = tuple(_fates(leaves))
    feedback = _part(leaves, "message/feedback-report")
    if fates:
        said = min((fate.said for fate in fates), key=lambda one: _MILDEST.index(one.meaning))
    elif feedback:
        said = _complaint(parts.fields(feedback))
    else:
        said = _in_words(opened, leaves) or _automatic(opened)
    return Returned(
        said,
        tuple(_came_to(opened, feedback if not fates else "")),
        tuple(_letters(leaves)),
        _key(opened, message),
        fates,
    )


def answer(words: str) -> str:
    """A relay's words as we keep them: on one line, not too long, without addresses."""
    line = " ".join(parts.plain(words).split())
    return masked(line[: LONGEST_ANSWER * 2])[:LONGEST_ANSWER]


def _fates(leaves: list[tuple[str, str]]) -> Iterator[Fate]:
    report = _part(leaves, "message/delivery-status", "message/global-delivery-status")
    for block in parts.blocks(report)[: MOST_RECIPIENTS + 1]:
        fields = parts.fields(block)
        named = (fields.get("original-recipient", ""), fields.get("final-recipient", ""))
        if any(named):
            addresses = tuple(one.rpartition(";")[2].strip().lower() for one in named if one)
            yield Fate(addresses, _fate(fields))


def _fate(fields: dict[str, str]) -> Said:
    words = fields.get("diagnostic-code", "")
    kind, semicolon, rest = words.partition(";")
    words = rest if semicolon and " " not in kind.strip() else words
    given = status.enhanced(fields.get("status", ""))
    action = fields.get("action", "").partition("(")[0].strip().lower()
    if action == "failed":
        meaning = status.refusal(given, words)
    else:
        meaning = _ACTIONS.get(action, Meaning.NOT_UNDERSTOOD)
    return Said(meaning, given, answer(words))


def _complaint(fields: dict[str, str]) -> Said:
    kind = fields.get("feedback-type", "").lower()
    known = kind in _COMPLAINTS
    meaning = Meaning.COMPLAINT if known else Meaning.NOT_UNDERSTOOD
    return Said(meaning, answer=kind if known else "")


def _in_words(opened: Message, leaves: list[tuple[str, str]]) -> Said | None:
    """A bounce that is text only: from a relay, and with an SMTP code in it."""
    returns_to = parts.header(opened, "Return-Path")
    if returns_to != "<>" and not _RELAYS.search(parts.header(opened, "From")):
        return None
    for kind, text in leaves:
        if kind == "text/html":
            text = _MARKUP.sub("\n", text[:_TEXT_SEARCHED])
        if kind.startswith("text/") and (found := _bounce_in(text)):
            return found
    return None


def _bounce_in(text: str) -> Said | None:
    """By the first refusal for good; a refusal for now may be all that a warning tells of."""
    lines = text[:_TEXT_SEARCHED].splitlines()
    codes = [(line, code) for line in lines if (code := status.replied(line))]
    for line, code in codes:
        words = line[line.index(code) :]
        given = status.enhanced(words)
        if code.startswith("5"):
            return Said(status.refusal(given, words), given, answer(words))
    return Said(Meaning.DELAYED, answer=answer(codes[0][0])) if codes else None


def _automatic(opened: Message) -> Said:
    """RFC 3834 §5, and what was usual before it."""
    submitted = parts.header(opened, "Auto-Submitted").partition(";")[0].strip().lower()
    replies = submitted not in ("", "no")
    replies = replies or parts.header(opened, "Precedence").lower() == "auto_reply"
    replies = replies or any(opened.get(name) for name in ("X-Autoreply", "X-Autorespond"))
    return Said(Meaning.AUTO_REPLY if replies else Meaning.NOT_UNDERSTOOD)


def _came_to(opened: Message, feedback: str) -> Iterator[str]:
    """A complaint comes to whoever collects them, and says by whom the letter was sent."""
    lines = [line for name in _CAME_TO for line in parts.headers(opened, name)]
    if feedback:
        lines.append(parts.fields(feedback).get("original-mail-from", ""))
    for line in lines:
        yield from _ADDRESS.findall(line)[:20]


def _letters(leaves: list[tuple[str, str]]) -> Iterator[str]:
    for kind, text in leaves:
        if kind in ("message/rfc822", "message/global", "text/rfc822-headers"):
            head = next(iter(parts.blocks(text)), "")
            yield from _MESSAGE_ID.findall(parts.fields(head).get("message-id", ""))[:1]


def _part(leaves: list[tuple[str, str]], *kinds: str) -> str:
    return next((text for kind, text in leaves if kind in kinds), "")


def _key(opened: Message, message: bytes) -> str:
    """Of its Message-ID; a message that has none is known by its octets."""
    named = _MESSAGE_ID.search(parts.header(opened, "Message-ID"))
    return sha256(named[0].encode() if named else message).hexdigest()
