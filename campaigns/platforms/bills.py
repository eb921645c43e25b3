"""Exported files: opened with a profile, and read row by row into items."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from typing import IO

from campaigns.files.bad import MOST_ROWS, BadFile
from campaigns.files.delimited import Broken, Row
from campaigns.files.table import Table, open_table
from campaigns.platforms import generic, heads, registry
from campaigns.platforms.base import N_, Item
from campaigns.platforms.cells import BadCell
from campaigns.platforms.heads import Head
from campaigns.platforms.mapping import Mapping
from campaigns.platforms.profile import (
    Figure,
    Footer,
    Profile,
    Reading,
    heading,
    unreadable,
)

_MARKS = ("#", "--", "==", "**")
_NOTES = ("导出时间", "共", "注", "说明", "特别提示", "温馨提示")
_USUAL = 100  # rows by which it is told how many cells a row has
_SURPLUS = 3  # cells without a heading, such as the one after a last comma


class Opened:
    """A file with its profile. `items()` begins at the first row again at each call.

    `charsets` may be chosen instead of `charset` (None and empty for a sheet), `members` instead
    of `member`. `account` is the source that the lines before the headings name, `period` what
    they say the file covers. `missing` names what a mapping must still say before items can be
    read. `footer` is known once the items are exhausted.
    """

    def __init__(self, profile: Profile, table: Table, head: Head) -> None:
        self.profile, self.missing = profile.name, head.missing
        self.format, self.member, self.members = table.format, table.member, table.members
        self.charset, self.charsets = table.charset, table.charsets
        self.header = list(head.headings)
        self.account, self.period = profile.preamble("\n".join(head.preamble))
        self.footer = Footer((), (), None)
        self._profile, self._table, self._head = profile, table, head
        self._width = len(head.headings)
        self._width = self._usual_width()
        # What the table has no column for is read from a cell after the last.
        self._places = tuple(
            place if place < len(head.headings) else self._width for place in head.places
        )

    def items(self) -> Iterator[Item]:
        """What each row tells, in the file's order. Raises `BadFile` if reading cannot go on."""
        if self.missing:
            raise BadFile("Say what the columns mean. None is known for", ", ".join(self.missing))
        reading = Reading(self._profile.currency, self._profile.zone)
        for line in self._head.preamble:
            self._is_foot([line], reading)
        rows = self._rows()
        yield from self._items(islice(rows, MOST_ROWS), reading)
        for _ in self._items(rows, reading):
            raise BadFile("The file has too many rows. The most that are read", f"{MOST_ROWS:,}")
        self.footer = _compared(reading)

    def row(self, number: int) -> list[str]:
        """The cells of one row as they stand there; empty where the file has no such row."""
        return next((cells for found, cells in self._rows() if found == number), [])

    def sample(self, most: int = 10) -> list[list[str]]:
        """The first rows below the headings, as they stand there, for whoever maps columns."""
        return [cells for _, cells in islice(self._rows(), most)]

    def _usual_width(self) -> int:
        """Headings, and cells that most rows have beyond them."""
        lengths = Counter(len(cells) for _, cells in islice(self._rows(), _USUAL) if cells[1:])
        usual = max(lengths, key=lambda length: lengths[length], default=0)
        return usual if 0 < usual - self._width <= _SURPLUS else self._width

    def _rows(self) -> Iterator[Row]:
        """The rows below the headings."""
        rows = self._table.rows(self._head.way, self._width)
        for number, _ in rows:
            if number == self._head.number:
                break
        return rows

    def _items(self, rows: Iterator[Row], reading: Reading) -> Iterator[Item]:
        read, width = self._profile.read, self._width
        take, padded = itemgetter(*self._places), width in self._places
        found: Item | list[Item] | None
        for number, cells in rows:
            if len(cells) == width:
                if padded:
                    cells.append("")
                try:
                    found = read(number, take(cells), reading)
                except BadCell as error:
                    found = self._unusual(number, cells, reading, str(error))
            else:
                found = self._unusual(number, cells, reading)
            if isinstance(found, list):
                yield from found
            elif found:
                yield found

    def _unusual(
        self, number: int, cells: list[str], reading: Reading, error: str = ""
    ) -> Item | list[Item] | None:
        """A row that did not read as it stands; None if it is no row of the table at all."""
        if isinstance(cells, Broken):
            return unreadable(number, N_("The line is not a row of a table"), cells.reason)
        if self._is_foot(cells, reading) or self._is_remark(cells):
            return None
        if error:
            return unreadable(number, error)
        fitted = self._fitted(cells)
        if not fitted:
            wrong = f"{len(cells)} / {len(self.header)}"
            return unreadable(number, N_("The row has more or fewer cells than headings"), wrong)
        try:
            return self._profile.read(number, itemgetter(*self._places)(fitted), reading)
        except BadCell as bad:
            return unreadable(number, str(bad))

    def _is_foot(self, cells: list[str], reading: Reading) -> bool:
        try:
            return self._profile.foot(cells, reading)
        except BadCell:
            return False

    def _is_remark(self, cells: list[str]) -> bool:
        told = [cell.strip() for cell in cells if cell.strip()]
        if len(told) <= 1:
            return not told or told[0].startswith(_MARKS + _NOTES)
        if len(told) <= 3 and len(cells) != self._width and told[0].startswith(_MARKS):
            return True
        return [heading(cell) for cell in told] == [heading(c) for c in self.header if c.strip()]

    def _fitted(self, cells: list[str]) -> list[str] | None:
        """The row with all its cells, if only such are left out that have no heading.

        A longer row is never cut: a comma that should have been quoted has shifted its cells.
        """
        if len(cells) > self._width or any(self.header[len(cells) :]):
            return None
        return cells + [""] * (self._width + 1 - len(cells))


def open(  # noqa: A001 - read as bills.open
    file: IO[bytes],
    profile: str,
    *,
    charset: str | None = None,
    mapping: Mapping | None = None,
    member: str | None = None,
) -> Opened:
    """Open a seekable file, which must stay open while items are read.

    Raises `BadFile` for what is not such an export, `UnknownProfile`. `mapping` is for the generic
    profile, which opens any table that has headings; `Opened.missing` says what is not mapped.
    """
    known = registry.profile(profile)
    if mapping and known.name == generic.NAME:
        known = generic.profile(mapping)
    table = open_table(file, charset, member)
    top = heads.Top(table)
    head = heads.find(known, top)
    if head is None and known.name == generic.NAME:
        head = heads.guess(known, top)
    if head is None:
        if not table.charset:
            raise BadFile("The headings of such an export were not found in the file.")
        raise BadFile(
            "The headings of such an export were not found in the file, read in the charset",
            table.charset,
        )
    return Opened(known, table, head)


def recognise(file: IO[bytes]) -> str | None:
    """The name of the profile whose headings the file has; None if none of them is known."""
    try:
        top = heads.Top(open_table(file))
        fitting = {
            name: head.known
            for name, profile in registry.profiles().items()
            if (head := heads.find(profile, top))
        }
    except BadFile:
        return None
    known = {name: columns for name, columns in fitting.items() if name != generic.NAME}
    return max(known or fitting, key=lambda name: fitting[name], default=None)


def _compared(reading: Reading) -> Footer:
    stated = tuple(reading.stated)
    found = tuple(
        Figure(
            told.label,
            None if told.rows is None else reading.tallies[told.label][0],
            None if told.minor is None else reading.tallies[told.label][1],
        )
        for told in stated
    )
    return Footer(stated, found, stated == found if stated else None)
