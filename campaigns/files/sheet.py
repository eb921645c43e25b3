"""Sheets: rows of an XLSX workbook as text, in memory that does not grow with their number."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property

from python_calamine import CalamineError, CalamineSheet

from campaigns.files.archive import Archive
from campaigns.files.bad import BadFile
from campaigns.files.delimited import Row
from campaigns.files.strips import Strips, Workbook

_DAMAGED = "The sheet is damaged or not as a spreadsheet writes it."
_HALF_A_SECOND = timedelta(microseconds=500_000)


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
            raise BadFile(f"The workbook holds no sheet called {self.member[:100]!r}.")
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
            for number, cells in _rows(sheet, last):
                if len(cells) < width:
                    cells += [""] * (width - len(cells))
                elif len(cells) > width > 0 and not any(cells[width:]):
                    del cells[width:]
                yield number, cells
                last = number

    @cached_property
    def _strips(self) -> Strips:
        try:
            return self._workbook.cut(self.member or "")
        except CalamineError as error:
            raise BadFile(_DAMAGED) from error

    @cached_property
    def _first(self) -> CalamineSheet:
        """The strip that is looked at again and again, before the rows are read."""
        return self._read(0)

    def _read(self, strip: int) -> CalamineSheet:
        try:
            return self._strips.sheet(strip)
        except CalamineError as error:
            raise BadFile(_DAMAGED) from error


def _rows(sheet: CalamineSheet, last: int) -> Iterator[Row]:
    """Rows of one strip, whose own numbers begin again at 1 if the file does not give any."""
    if sheet.start is None:
        return
    down, right = sheet.start
    number = down if down >= last else last + down
    for values in sheet.to_python():
        number += 1
        cells = [value if type(value) is str else _WRITTEN[type(value)](value) for value in values]
        yield number, [""] * right + cells if right else cells


def _number(value: float) -> str:
    """As a spreadsheet shows it: fifteen digits, all that it keeps. Longer ones get an exponent.

    So an amount reads as it was typed, and a number that has lost digits betrays itself.
    """
    return format(value, ".15g")


def _moment(value: datetime) -> str:
    if value.microsecond:
        value = (value + _HALF_A_SECOND).replace(microsecond=0)
    return value.isoformat(" ")


_WRITTEN: dict[type, Callable[..., str]] = {
    int: _number,
    float: _number,
    bool: str,
    datetime: _moment,
    date: date.isoformat,
    time: lambda value: value.isoformat("seconds"),
    timedelta: str,
}
