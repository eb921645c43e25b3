"""Pasted: a small table as a spreadsheet gives it, its columns known by their headings."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from campaigns.files import delimited
from campaigns.files.bad import BadFile
from campaigns.files.delimited import Row

_DELIMITERS = ("\t", ",", ";", "，")


class NoTable(BadFile):
    """There is no row, or no heading that is known above the rows."""


class UnknownColumn(BadFile):
    """A heading means nothing to us: what stands below it would be lost. `name` is the heading."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The column {name[:60]!r} is not known.")
        self.name = name[:60]


class MissingColumn(BadFile):
    """A column that is needed is not there, or there twice."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The column {name!r} is needed once.")
        self.name = name


class TooManyRows(BadFile):
    """The table is longer than what is pasted may be."""


@dataclass(frozen=True)
class Line:
    """One row: its number as a person counts, what stands in each known column, "" for nothing.

    `broken`: it is no row of this table, so its cells mean nothing.
    """

    number: int
    cells: Mapping[str, str]
    broken: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Columns:
    """What a table may hold: each column with the headings it goes by, and which are needed."""

    headings: Mapping[str, Iterable[str]]
    needed: tuple[str, ...]
    most: int

    def lines(self, text: str, order: str = "") -> list[Line]:
        """The rows of a table whose first row names the columns, or that has them in an `order`,
        as "day, amount, name".

        A heading row above a table with an `order` is passed over. Empty rows are none. Raises
        what `BadFile` stands for, above all its subclasses here.
        """
        text = text.removeprefix("\ufeff")
        return self.of(delimited.rows([text], _delimiter(text)), order)

    def of(self, table: Iterable[Row], order: str = "") -> list[Line]:
        """`lines` of rows that were cut into cells already."""
        rows = [row for row in table if not _empty(row[1])]
        if not rows:
            raise NoTable("There is no row.")
        named = order.strip()
        first = rows[0][1]
        known = [self._column(cell) is not None for cell in first if cell.strip()]
        if not named and not any(known):
            raise NoTable("The first row names no column that is known.")
        columns = self._columns(_words(named) if named else first)
        body = rows if named and not all(known) else rows[1:]
        if len(body) > self.most:
            raise TooManyRows(f"There are more than {self.most} rows.")
        if not body:
            raise NoTable("There is no row below the headings.")
        return [_line(number, columns, cells) for number, cells in body]

    def _columns(self, given: Iterable[str]) -> list[str]:
        """The column of each cell; "" where the heading is empty."""
        found = []
        for heading in given:
            column = self._column(heading)
            if column is None and heading.strip():
                raise UnknownColumn(heading.strip())
            found.append(column or "")
        for name in {*self.needed, *filter(None, found)}:
            if found.count(name) != 1:
                raise MissingColumn(name)
        return found

    def _column(self, heading: str) -> str | None:
        plain = _plain(heading)
        return next(
            (name for name, known in self.headings.items() if plain in {name, *map(_plain, known)}),
            None,
        )


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    beyond = any(cell.strip() for cell in cells[len(columns) :])
    unnamed = any(cell.strip() for name, cell in zip(columns, cells, strict=False) if not name)
    if isinstance(cells, delimited.Broken) or beyond or unnamed:
        return Line(number, {}, broken=True)
    named = zip(columns, cells, strict=False)
    return Line(number, {name: cell.strip() for name, cell in named if name})


def _delimiter(text: str) -> str:
    """What cuts the first row that is not empty; a tab before anything else."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((mark for mark in _DELIMITERS if mark in first), ",")


def _words(order: str) -> list[str]:
    for mark in ("\t", "，", "、", ";", "；"):
        order = order.replace(mark, ",")
    return [word.strip() for word in order.split(",")]


def _empty(cells: list[str]) -> bool:
    return not isinstance(cells, delimited.Broken) and not any(cell.strip() for cell in cells)


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading).strip().casefold()
    return text.partition("(")[0].strip().replace(" ", "")
