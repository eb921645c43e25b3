"""What an export profile declares: its columns, what becomes of a row, and what the file states."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple, cast

from campaigns.platforms.base import Item, Verdict
from campaigns.platforms.cells import (
    SHANGHAI,
    BadCell,
    Moments,
    Remembered,
    amount,
    party,
    shortened,
    words,
)

_UNIT = re.compile(r"\([+-]?(?:元|人民币元?|cny|rmb|¥|yuan)\)")
_PERIOD = re.compile(
    r"(?:起始|开始)(?:日期|时间)[:：]\s*\[?\s*([^\]\[]{8,30}?)\s*\]?[\s,]+"
    r"(?:终止|结束)(?:日期|时间)[:：]\s*\[?\s*([^\]\[\n]{8,30}?)\s*(?:\]|,|\n|$)"
)
_BLANKS = re.compile(r"\s+")

# An Item without the detour over NamedTuple's own `__new__`, which takes twice as long; readers of
# long files make one per row and give every field.
new_item = cast(Callable[[tuple[object, ...]], Item], partial(tuple.__new__, Item))


class Column(NamedTuple):
    """A column by its headings, the first that the file has; "" is read where it has none."""

    headings: tuple[str, ...]
    needed: bool = False


class Figure(NamedTuple):
    """A sum that a file states about its rows: how many, and how much in minor units."""

    label: str
    rows: int | None
    minor: int | None


class Footer(NamedTuple):
    """What the file states, what its rows come to, label by label, and whether these agree.

    `agree` is None where the file states nothing.
    """

    stated: tuple[Figure, ...]
    found: tuple[Figure, ...]
    agree: bool | None


@dataclass
class Reading:
    """What reading one file needs and gathers; handed to the profile's functions with each row."""

    currency: str = "CNY"
    zone: str = SHANGHAI
    # How many rows, and how much in minor units, by the label of a sum that the file may state.
    tallies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    stated: list[Figure] = field(default_factory=list)
    labels: Sequence[str] | None = None  # of a summary whose figures stand in the next row

    def __post_init__(self) -> None:
        self.amounts = Remembered(lambda cell: amount(cell, self.currency))
        self.moment: Callable[[str], datetime] = Moments(self.zone).read
        self.words = Remembered(words)
        self.party = Remembered(party)

    def tally(self, label: str, minor: int) -> None:
        """Count a row for the sum that the file states under `label`."""
        tally = self.tallies[label]
        tally[0] += 1
        tally[1] += minor


# The cells of a row, in the order of the profile's columns.
Cells = tuple[str, ...]
Read = Callable[[int, Cells, Reading], "Item | list[Item]"]
# Notes the file's own sums. Whether the cells, of a row that is none of the table's, are such.
Foot = Callable[[list[str], Reading], bool]


class Preamble(NamedTuple):
    """What the lines before the headings tell."""

    account: str | None = None
    period: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class Profile:
    """One kind of export. `read` raises `BadCell` for a row it cannot read, nothing else.

    `lacks` names what is still missing, given which of the columns are there; by itself, the
    first headings of those that are needed.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    read: Read
    foot: Foot = lambda cells, reading: False
    preamble: Callable[[str], Preamble] = lambda text: Preamble()
    lacks: Callable[[tuple[bool, ...]], tuple[str, ...]] | None = None
    backticked: bool = False
    currency: str = "CNY"
    zone: str = SHANGHAI

    def missing(self, there: tuple[bool, ...]) -> tuple[str, ...]:
        if self.lacks:
            return self.lacks(there)
        lacking = (c for c, found in zip(self.columns, there, strict=True) if not found)
        return tuple(column.headings[0] for column in lacking if column.needed)


def period(text: str) -> tuple[datetime, datetime] | None:
    """The days or hours an export says it covers, if it does."""
    found = _PERIOD.search(text)
    try:
        moments = [Moments().read(part) for part in found.groups()] if found else []
    except BadCell:
        return None
    return (moments[0], moments[1]) if moments else None


def not_a_donation(number: int, reason: str, detail: str = "") -> Item:
    """A row that tells of other money, or of none."""
    return Item(number, Verdict.NOT_A_DONATION.value, _sentence(reason, detail))


def unreadable(number: int, reason: str, detail: str = "") -> Item:
    return Item(number, Verdict.UNREADABLE.value, _sentence(reason, detail))


@lru_cache(maxsize=4096)
def heading(text: str) -> str:
    """A heading as it is compared: no blanks, full-width marks as half-width ones, no unit."""
    plain = _BLANKS.sub("", unicodedata.normalize("NFKC", text)).strip("`'\"#\ufeff").lower()
    return _UNIT.sub("", plain)


def _sentence(reason: str, detail: str) -> str:
    return f"{reason}: {shown}" if (shown := shortened(detail)) else reason
