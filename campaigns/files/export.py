"""Exports: rows as CSV or XLSX that a spreadsheet shows as they are, made in flat memory."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from tempfile import SpooledTemporaryFile
from typing import IO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

Cell = str | int | Decimal | date | datetime | None
Row = Sequence[Cell]

# A spreadsheet takes a cell that begins so for a formula, some also behind blanks and quotes
# (owasp.org/www-community/attacks/CSV_Injection); full-width signs are taken for their plain ones.
_FORMULA = re.compile(r"""[\s"'‘’“”「]*[=+\-@\t\r\n＝＋－＠|%]""")
# What XML 1.0 cannot hold.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BOM = "\ufeff"
_LONGEST = 32_767  # characters of a cell of a workbook
_IN_MEMORY = 1024 * 1024
_CHUNK = 1000  # rows


def inert(text: str) -> str:
    """The text so that no spreadsheet runs it: what may be a formula begins with an apostrophe."""
    plain = _CONTROL.sub("", text)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def csv_of(header: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """UTF-8 with a mark, without which Excel guesses wrongly; piece by piece (RFC 4180)."""
    buffer = StringIO(_BOM)
    buffer.seek(0, 2)
    writer = csv.writer(buffer)
    writer.writerow([inert(name) for name in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([_written(cell) for cell in row])
        if number % _CHUNK == 0:
            yield _emptied(buffer)
    yield _emptied(buffer)


def xlsx_of(header: Sequence[str], rows: Iterable[Row]) -> IO[bytes]:
    """A workbook of one sheet, in a file that its reader closes. Moments stand as local time."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    titles = [WriteOnlyCell(sheet, inert(name)) for name in header]
    for title in titles:
        title.font = Font(bold=True)
    sheet.append(titles)
    for row in rows:
        sheet.append([_held(cell) for cell in row])
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - its reader closes it
    book.save(file)
    file.seek(0)
    return file


def _written(cell: Cell) -> str:
    """Numbers are ours and stay numbers, below zero too; only text can hold what somebody typed."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return inert(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def _held(cell: Cell) -> str | int | Decimal | date | datetime | None:
    if isinstance(cell, str):
        return inert(cell)[:_LONGEST]
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


def _emptied(buffer: StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece
