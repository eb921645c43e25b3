"""Sheets: rows of an XLSX workbook as text, in memory that does not grow with their number."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, cast

from python_calamine import CalamineError, CalamineSheet

from campaigns.files.archive import Archive
from campaigns.files.bad import BadFile
from campaigns.files.delimited import Row
from campaigns.files.strips import Strips, Workbook

_BLOCK = 256  # rows
_REMEMBERED = 20_000  # numbers
_TWO_DIGITS = [f"{number:02}" for number in range(60)]
_HALF_A_SECOND = timedelta(microseconds=500_000)

_Block = Sequence[Sequence[Any]]  # rows as calamine gives them


class Sheet:
    """One sheet of a workbook; `members` are the names of all."""

    format = "xlsx"
    charset: str | None = None
    charsets: tuple[str, ...] = ()

    def __init__(self, archive: Archive, member: str | None) -> None:
        """Raises `BadFile` for what is no workbook, or has no such sheet."""
        workbook = Workbook(archive)
        self.members = tuple(workbook.sheets)
        self.member: str | None = member or self.members[0]
        if self.member not in self.members:
            raise BadFile("The workbook holds no sheet of this name", self.member[:100])
        self._workbook = workbook

    def ways(self, backticked: bool = False) -> tuple[str, ...]:
        return ("",)

    def rows(self, way: str, width: int = 0) -> Iterator[Row]:
        """From the first row again at each call, by the number that a spreadsheet shows.

        All rows of a strip are as wide as its widest; what is empty beyond `width` is left out.
        """
        last = 0
        for strip in range(len(self._strips)):
            sheet = self._read(strip) if strip else self._first
            if sheet.start is None:
                continue
            # A strip's own numbers begin again at 1 if the file does not give any.
            down = sheet.start[0] if sheet.start[0] >= last else sheet.start[0] + last
            for block in _blocks(sheet):
                yield from enumerate(_fitted(block, sheet.start[1], width), down + 1)
                down += len(block)
            last = down

    @cached_property
    def _strips(self) -> Strips:
        try:
            return self._workbook.cut(self.member or "")
        except CalamineError as error:
            raise BadFile("The sheet is damaged or not as a spreadsheet writes it.") from error

    @cached_property
    def _first(self) -> CalamineSheet:
        """The strip that is looked at again and again, before the rows are read."""
        return self._read(0)

    def _read(self, strip: int) -> CalamineSheet:
        try:
            return self._strips.sheet(strip)
        except CalamineError as error:
            raise BadFile("The sheet is damaged or not as a spreadsheet writes it.") from error


def _blocks(sheet: CalamineSheet) -> Iterator[_Block]:
    """The strip's cells, a few rows at a time, that the processor's cache holds.

    The first come before the others are made, since headings are looked for again and again.
    """
    top = sheet.to_python(nrows=_BLOCK)
    yield top
    if len(top) == _BLOCK:
        rows = sheet.to_python()
        for start in range(_BLOCK, len(rows), _BLOCK):
            yield rows[start : start + _BLOCK]


def _fitted(block: _Block, right: int, width: int) -> Iterator[list[str]]:
    """Rows as text, those of a table `width` cells wide."""
    columns = [*[[""] * len(block)] * right, *map(_texts, zip(*block, strict=True))]
    columns += [[""] * len(block)] * (width - len(columns))
    surplus = columns[width:] if width else []
    if not any(map(any, surplus)):
        return map(list, zip(*columns[: width or None], strict=True))
    rows = map(list, zip(*columns, strict=True))
    return (row if any(row[width:]) else row[:width] for row in rows)


def _texts(column: Sequence[Any]) -> Sequence[str]:
    """A column's cells as text. Columns are told apart first, since most hold nothing else."""
    kinds = set(map(type, column))
    if kinds == {str}:
        return cast(Sequence[str], column)
    if len(kinds) == 1:
        return list(map(_WRITTEN[kinds.pop()], column))
    return [cell if type(cell) is str else _WRITTEN[type(cell)](cell) for cell in column]


@lru_cache(maxsize=_REMEMBERED)
def _number(value: float) -> str:
    """As a spreadsheet shows it: fifteen digits, all that it keeps. Longer ones get an exponent.

    So an amount reads as it was typed, and a number that has lost digits betrays itself.
    """
    return format(value or 0, ".15g")


_day = lru_cache(maxsize=_REMEMBERED)(date.isoformat)


def _moment(value: datetime) -> str:
    if value.microsecond:
        value = (value + _HALF_A_SECOND).replace(microsecond=0)
    hour, minute, second = (
        _TWO_DIGITS[value.hour],
        _TWO_DIGITS[value.minute],
        _TWO_DIGITS[value.second],
    )
    return f"{_day(value.date())} {hour}:{minute}:{second}"  # isoformat takes three times as long


_WRITTEN: dict[type, Callable[..., str]] = {
    int: _number,
    float: _number,
    bool: str,
    datetime: _moment,
    date: date.isoformat,
    time: lambda value: value.isoformat("seconds"),
    timedelta: str,
}
