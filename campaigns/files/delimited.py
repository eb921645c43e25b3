"""Delimited text: rows of cells, each with the number of its line as a person counts."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from campaigns.files.bad import LONGEST_LINE, BadFile

DELIMITERS = (",", "\t", ";")
MOST_CELLS = 1000  # of a row; what follows is left in the last one
# A quoted cell may go on over some lines. One that goes on for longer is a stray quote, and what
# follows it must not vanish into it.
MOST_LINES = 20
_UNCLOSED = "a quote that is not closed"

Row = tuple[int, list[str]]


class Broken(list[str]):
    """In place of the cells of a line that is no row: no cells, and what is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


def rows(pieces: Iterable[str], delimiter: str = ",", width: int = 0) -> Iterator[Row]:
    """Rows as RFC 4180 has them, LF or CRLF; blanks around cells are left where they are.

    A line that is no row (a NUL, a quote that never closes) is told as such and the next line is
    read for itself; so it is if a quote goes on over lines and there are not `width` cells then.
    Raises `BadFile` for a line without end.
    """
    number, back, patient = 0, deque[str](), False
    source: Iterator[str] = chain.from_iterable(_lines(pieces))
    while True:
        for line in source:
            number += 1
            if '"' not in line and "\0" not in line:
                yield number, line.split(delimiter, MOST_CELLS)
                continue
            cells, used = _quoted(line, source, delimiter)
            if len(used) > 1 and width and len(cells) != width:
                cells = Broken(_UNCLOSED)
            yield number, cells
            if not isinstance(cells, Broken):
                number += len(used) - 1
                continue
            back.extendleft(reversed(used[1:]))
            if back and not patient:
                break
        if not back:
            return
        source, patient = _after(back, source), True


def backticked(pieces: Iterable[str]) -> Iterator[Row]:
    """Rows of WeChat Pay's bills, whose cells begin with a backtick and are never quoted.

    A comma inside a cell is not escaped there, so such a line is cut where a comma and a backtick
    meet. Lines without a leading backtick (headings) are read as `rows` does, and so are lines
    that a spreadsheet has written anew with quotes.
    """
    for number, line in enumerate(chain.from_iterable(_lines(pieces)), 1):
        if line.startswith("`") and ',"`' not in line and "\0" not in line:
            yield number, line[1:].split(",`", MOST_CELLS)
        else:
            for _, cells in rows([line]):
                yield number, cells


def _lines(pieces: Iterable[str]) -> Iterator[list[str]]:
    """Lines without their LF, as many together as a piece holds."""
    rest = ""
    for piece in pieces:
        lines = (rest + piece).split("\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            raise BadFile("The file has a line of hundreds of thousands of characters: no table.")
        yield lines
    if rest:
        yield [rest]


def _after(back: deque[str], source: Iterator[str]) -> Iterator[str]:
    """The source's lines, before each of them those that were put back meanwhile."""
    while back:
        yield back.popleft()
    for line in source:
        yield line
        while back:
            yield back.popleft()


def _quoted(line: str, more: Iterator[str], delimiter: str) -> tuple[list[str], list[str]]:
    """The cells of the row that begins with `line`, and the lines it took.

    Not strict about what follows a closing quote in its line: Alipay writes a tab there.
    """
    used: list[str] = []
    closed = True

    def feed() -> Iterator[str]:
        nonlocal closed
        used.append(line)
        yield line + "\n"
        while len(used) < MOST_LINES and (following := next(more, None)) is not None:
            used.append(following)
            yield following + "\n"
        closed = False

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter))
    except csv.Error as error:
        return Broken(str(error)), used
    if not closed or (len(used) > 1 and not _is_tidy(used, delimiter)):
        return Broken(_UNCLOSED), used
    if any("\0" in taken for taken in used):
        return Broken("a NUL character"), used
    if len(cells) > MOST_CELLS + 1:
        return Broken("too many cells"), used
    return cells, used


def _is_tidy(lines: list[str], delimiter: str) -> bool:
    """Whether each quote of a cell of several lines is where quotes belong, blanks beside it.

    Else one that strayed in was closed by one that opens another cell, lines below.
    """
    after = re.compile(rf'"[ \t]+(?={re.escape(delimiter)}|\r?$)')
    try:
        next(
            csv.reader(
                (after.sub('"', line) + "\n" for line in lines), delimiter=delimiter, strict=True
            )
        )
    except csv.Error:
        return False
    return True
