"""Header lines: any text in any script as one header (RFC 5322, RFC 2047), folded and inert."""

import re
from base64 import b64encode
from unicodedata import category

# RFC 5322 §2.1.1 wishes for 78 columns. An encoded word of ours takes 64 of them, so that the
# longest name we use before it, "Reply-To: ", leaves the line within that.
_COLUMNS = 76
_OCTETS_A_WORD = 39
_LONGEST_PLAIN_WORD = 60
_PHRASE_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_WIRE = re.compile(r"[^\s<>\x00-\x1f\x7f]{1,254}")
_NAME = re.compile(r"[A-Za-z][A-Za-z-]{0,39}")


def one_line(text: str) -> str:
    """The text without line breaks, control characters, and space beyond single spaces."""
    if not text.isprintable():
        text = "".join(" " if category(letter) in ("Cc", "Cs") else letter for letter in text)
    return " ".join(text.split())


def header(name: str, text: str) -> bytes:
    """A header of free text, such as Subject, its line end included."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a header.")
    text = one_line(text)
    value = _folded(text, len(name) + 2) if _is_plain(text) else _encoded(text)
    return f"{name}: {value}\r\n".encode()


def mailbox(name: str, display: str, wire: str) -> bytes:
    """A header of one address, as To or From: the person's name in any script, then `wire`."""
    if not _WIRE.fullmatch(wire):
        raise ValueError(f"{name} needs an address without space or angle brackets.")
    shown = _phrase(one_line(display))
    if not shown:
        return f"{name}: {wire}\r\n".encode()
    last_line = f"{name}: {shown}".rpartition("\n")[2]
    gap = " " if len(last_line) + len(wire) + 3 <= _COLUMNS else "\r\n "
    return f"{name}: {shown}{gap}<{wire}>\r\n".encode()


def _is_plain(text: str) -> bool:
    if not text.isascii() or "=?" in text:
        return False
    return max(map(len, text.split(" "))) <= _LONGEST_PLAIN_WORD


def _phrase(text: str) -> str:
    if not _is_plain(text) or len(text) > _LONGEST_PLAIN_WORD:
        return _encoded(text)
    if _PHRASE_NEEDS_NO_QUOTES.fullmatch(text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _folded(text: str, column: int) -> str:
    lines, taken = [""], column
    for word in text.split(" "):
        if lines[-1] and taken + 1 + len(word) > _COLUMNS:
            lines, taken = [*lines, word], 1 + len(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
            taken += 1 + len(word)
    return "\r\n ".join(lines)


def _encoded(text: str) -> str:
    """Encoded words, each whole characters only (RFC 2047 §5); readers join them without space."""
    octets, words, start = text.encode(), [], 0
    while start < len(octets):
        end = min(start + _OCTETS_A_WORD, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?B?{b64encode(octets[start:end]).decode()}?=")
        start = end
    return "\r\n ".join(words)
