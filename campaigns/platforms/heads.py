"""Headings of exported tables: found by what they say, wherever in the first rows they stand."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from campaigns.files.delimited import Row
from campaigns.files.table import Table
from campaigns.platforms.profile import Profile, heading

_PREAMBLE = 200  # rows among which the headings are looked for
_LONGEST_HEADING, _MOST_HEADINGS = 200, 300
_LONGEST_REMARK = 1000


class Head(NamedTuple):
    """Where the headings stand, and at which of them each of the profile's columns is found.

    A column that is not there has the place after the last. `missing` names those without which
    no row can be read. `preamble` holds the lines above, each cut where it is long.
    """

    number: int
    way: str
    headings: tuple[str, ...]
    places: tuple[int, ...]
    preamble: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def known(self) -> int:
        """How many of the profile's columns are there."""
        return sum(place < len(self.headings) for place in self.places)


class Top:
    """The first rows of a table, cut each way once."""

    def __init__(self, table: Table) -> None:
        self._table, self._rows = table, dict[str, list[Row]]()

    def ways(self, profile: Profile) -> Iterator[tuple[str, list[Row]]]:
        for way in self._table.ways(profile.backticked):
            if way not in self._rows:
                self._rows[way] = list(islice(self._table.rows(way), _PREAMBLE))
            yield way, self._rows[way]


def find(profile: Profile, top: Top) -> Head | None:
    """The first row that has all headings needed, whichever way its cells are delimited."""
    return next((head for head in _candidates(profile, top) if not head.missing), None)


def guess(profile: Profile, top: Top) -> Head | None:
    """The row most like headings, though some that are needed are missing; None in no table.

    That is the first of those with most known headings, else with most cells, none a number.
    """
    likely = (head for head in _candidates(profile, top) if _is_likely(head.headings))
    return max(likely, key=lambda head: (head.known, len(head.headings)), default=None)


def _candidates(profile: Profile, top: Top) -> Iterator[Head]:
    for way, rows in top.ways(profile):
        preamble: list[str] = []
        for number, cells in rows:
            if len(cells) <= _MOST_HEADINGS:
                headings = tuple(cell.strip() for cell in cells)
                places = _places(profile, headings)
                missing = profile.missing(tuple(place < len(cells) for place in places))
                yield Head(number, way, headings, places, tuple(preamble), missing)
            preamble.append(",".join(cells[:_MOST_HEADINGS])[:_LONGEST_REMARK])


def _places(profile: Profile, headings: tuple[str, ...]) -> tuple[int, ...]:
    known: dict[str, int] = {}
    for place, text in enumerate(headings):
        if len(text) <= _LONGEST_HEADING:
            known.setdefault(heading(text), place)
    return tuple(
        next(
            (known[text] for text in map(heading, column.headings) if text in known), len(headings)
        )
        for column in profile.columns
    )


def _is_likely(headings: tuple[str, ...]) -> bool:
    told = [text for text in headings if text]
    return len(told) > 1 and not any(text[0].isdecimal() or text[0] in "¥￥-+`" for text in told)
