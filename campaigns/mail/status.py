"""Status codes: what a relay's answer or a returned letter says of the address (RFC 3463)."""

import re
from enum import StrEnum

# The lookarounds keep parts of addresses, versions and dates from passing as codes.
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]?\d)", re.ASCII)
_REPLY = re.compile(r"(?<![\w./-])([45]\d\d)(?![\w.])", re.ASCII)
# §3.2 and RFC 7505: no such mailbox or domain, a bad address, one that moved, one with a null MX.
# The other x.1.x are about the sender or about nothing in particular.
_NO_SUCH_ADDRESS = frozenset({1, 2, 3, 6, 10})
_SENDERS_ADDRESS = frozenset({7, 8})
# What domestic providers say of content and senders without a code that says so.
_POLICY_IN_WORDS = re.compile(r"DT:SPM|mail content denied", re.IGNORECASE)


class Meaning(StrEnum):
    """What came back means; the first three say that the letter did not arrive.

    hard: there is no such address. soft: this letter did not arrive, the next one may. policy: a
    relay did not want the sender or the content, which says nothing of the address.
    """

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"
    NOT_UNDERSTOOD = "not_understood"


BOUNCES = frozenset({Meaning.HARD, Meaning.SOFT, Meaning.POLICY})


def enhanced(text: str) -> str:
    """The first status code such as 5.1.1 in a text; empty if there is none."""
    found = _ENHANCED.search(text)
    return found[0] if found else ""


def replied(text: str) -> str:
    """The first SMTP reply code of a refusal, such as 550, in a text; empty if there is none."""
    found = _REPLY.search(text)
    return found[1] if found else ""


def refusal(status: str, words: str = "") -> Meaning:
    """What it means that a letter was refused for good: by its status code and the words beside it.

    A code that says nothing in particular (5.0.0, or none) gives way to a better one in the words.
    What is not plainly said of the address is never hard.
    """
    said = _parts(status)
    if said is None or said[1] == 0:
        said = _parts(enhanced(words)) or said
    if _POLICY_IN_WORDS.search(words):
        return Meaning.POLICY
    if said is None:
        return Meaning.SOFT
    kind, subject, detail = said
    if subject == 7 or (subject == 1 and detail in _SENDERS_ADDRESS):
        return Meaning.POLICY
    if kind == 5 and subject == 1 and detail in _NO_SUCH_ADDRESS:
        return Meaning.HARD
    return Meaning.SOFT


def _parts(status: str) -> tuple[int, int, int] | None:
    found = _ENHANCED.fullmatch(status)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
