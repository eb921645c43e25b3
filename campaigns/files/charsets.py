"""Charsets: which one a file is written in, and its text, decoded strictly and piece by piece."""

import codecs
from collections.abc import Callable, Iterator
from typing import NamedTuple

from campaigns.files.archive import Readable
from campaigns.files.bad import BadFile

# In the order in which they are tried. UTF-16 is what Excel calls "Unicode text" and is believed
# only with its byte order mark, since any bytes of even length are UTF-16 without one.
CHARSETS = ("utf-8-sig", "utf-8", "gb18030")
UTF_16 = "utf-16"
_PIECE = 256 * 1024
_UTF_8_MARK = codecs.BOM_UTF8
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Source = Callable[[], Readable]  # each call begins at the first byte again


class Guess(NamedTuple):
    """The charset taken, and all that may be chosen instead, likeliest first."""

    charset: str
    possible: tuple[str, ...]


def guess(source: Source) -> Guess:
    """The first of `CHARSETS` that fits the whole file. Raises `BadFile` if none does.

    GB18030, the last, is tried on the first piece only: `text` decodes strictly anyhow, so what
    it cannot be fails while it is read, and a long file need not be decoded twice.
    """
    first = source().read(_PIECE)
    if first.startswith(_UTF_16_MARKS):
        return Guess(UTF_16, (UTF_16,))
    possible = [name for name in CHARSETS[:2] if _may_be(name, first) and _is(name, source)]
    if _begins_as_gb18030(first):
        possible.append("gb18030")
    if not possible:
        raise BadFile(
            "The file is neither UTF-8 nor GB18030: it may be damaged, or no table of text at all."
        )
    return Guess(possible[0], tuple(possible))


def text(source: Source, charset: str) -> Iterator[str]:
    """The file's text in pieces. Raises `BadFile` that names the line which does not decode."""
    if charset not in (*CHARSETS, UTF_16):
        raise BadFile("This charset is not known here", charset[:40])
    decoder = codecs.getincrementaldecoder(charset)("strict")
    stream, lines = source(), 0
    while True:
        piece = stream.read(_PIECE)
        try:
            decoded = decoder.decode(piece, final=not piece)
        except UnicodeError as error:
            line = lines + 1 + _line_ends_before(error)
            raise BadFile(
                "The charset does not fit the file, choose another. The first wrong line", line
            ) from error
        lines += decoded.count("\n")
        yield decoded
        if not piece:
            return


def _may_be(name: str, first: bytes) -> bool:
    return (name == "utf-8-sig") == first.startswith(_UTF_8_MARK)


def _is(name: str, source: Source) -> bool:
    try:
        for _ in text(source, name):
            pass
    except BadFile:
        return False
    return True


def _begins_as_gb18030(first: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("gb18030")("strict").decode(first)
    except UnicodeDecodeError:
        return False
    return True


def _line_ends_before(error: UnicodeError) -> int:
    """Lines of the failing piece that still decoded; UTF-16 without a mark fails elsewhere."""
    if not isinstance(error, UnicodeDecodeError):
        return 0
    return error.object[: error.start].count(b"\n")
