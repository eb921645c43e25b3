"""Bodies: text with marks, encoded for transfer once and filled for each recipient.

Both encodings are 7-bit with lines of at most 76 columns, so any relay takes them unchanged.
"""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Callable, Mapping
from typing import Protocol

from campaigns.mail import marks

_LINE_END = re.compile(r"\r\n|\r|\n")
_SOFT_BREAK = b"=\r\n"
_OCTETS_A_LINE = 57


class Body(Protocol):
    """Encoded text that waits for its fields."""

    @property
    def encoding(self) -> bytes:
        """The value of Content-Transfer-Encoding."""

    def filled(self, fields: Mapping[str, str]) -> bytes:
        """The encoded text and the line end before the next boundary (RFC 2046 §5.1.1).

        `KeyError` names a missing field.
        """


def body(text: str, escaped: Callable[[str], str] = str) -> Body:
    """Prepare a text in whichever encoding is shorter; `escaped` makes a field's value inert."""
    candidates: list[Body] = [QuotedBody(text, escaped), Base64Body(text, escaped)]
    nothing = dict.fromkeys(marks.names(text), "")
    return min(candidates, key=lambda each: len(each.filled(nothing)))


class QuotedBody:
    """Quoted-printable. Soft line breaks around each field keep the fixed text's encoding fixed."""

    encoding = b"quoted-printable"

    def __init__(self, text: str, escaped: Callable[[str], str] = str) -> None:
        cut = marks.pieces(text)
        self._opening = _quoted(cut[0])
        self._rest = [(name, _quoted(fixed)) for name, fixed in _pairs(cut)]
        self._escaped = escaped

    def filled(self, fields: Mapping[str, str]) -> bytes:
        filled = [self._opening]
        for name, fixed in self._rest:
            filled += (_quoted(self._escaped(fields[name])), fixed)
        return b"".join(filled).removesuffix(_SOFT_BREAK) + b"\r\n"


class Base64Body:
    """Base64. Each fixed text is encoded once for each of the three ways it can be aligned."""

    encoding = b"base64"

    def __init__(self, text: str, escaped: Callable[[str], str] = str) -> None:
        cut = marks.pieces(text)
        self._opening = _alignments(cut[0])
        self._rest = [(name, _alignments(fixed)) for name, fixed in _pairs(cut)]
        self._escaped = escaped

    def filled(self, fields: Mapping[str, str]) -> bytes:
        head, middle, carried = self._opening[0]
        filled = [_lines(head), middle]
        for name, alignments in self._rest:
            carried += _octets(self._escaped(fields[name]))
            head, middle, tail = alignments[-len(carried) % 3]
            carried += head
            if len(carried) % 3 == 0:
                filled += (_lines(carried), middle)
                carried = tail
        return b"".join([*filled, _lines(carried)]) or b"\r\n"


def _pairs(cut: list[str]) -> list[tuple[str, str]]:
    return list(zip(cut[1::2], cut[2::2], strict=True))


def _octets(text: str) -> bytes:
    if "\n" in text or "\r" in text:
        text = _LINE_END.sub("\r\n", text)
    return text.encode("utf-8", "replace")


def _quoted(text: str) -> bytes:
    """Encoded so that it begins at a line's start and leaves the next text there too."""
    octets = b2a_qp(_octets(text), istext=True)
    # b2a_qp ends its soft breaks as the first line of its input ends, or with a bare LF.
    if b"\n" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return octets if not octets or octets.endswith(b"\n") else octets + _SOFT_BREAK


def _alignments(text: str) -> list[tuple[bytes, bytes, bytes]]:
    """For 0, 1 and 2 octets that complete a triple before it: those, whole triples, the rest."""
    octets, found = _octets(text), []
    for missing in range(3):
        end = missing + max(0, len(octets) - missing) // 3 * 3
        found.append((octets[:missing], _lines(octets[missing:end]), octets[end:]))
    return found


def _lines(octets: bytes) -> bytes:
    """Base64 lines; complete triples only, unless it is the end of the body."""
    starts = range(0, len(octets), _OCTETS_A_LINE)
    lines = [b2a_base64(octets[at : at + _OCTETS_A_LINE], newline=False) for at in starts]
    return b"\r\n".join([*lines, b""])
