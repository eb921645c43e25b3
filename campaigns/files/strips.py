"""Strips: a workbook's sheet cut into pieces that are safe to hand to calamine.

calamine holds a whole sheet at about a hundred bytes a cell, and makes room for every cell between
the first and the last, so that two cells can ask for all the memory there is. Here the sheet's XML
is counted while it is unpacked, cut after every few thousand rows, each strip's extent is checked,
and all are written as sheets of a new workbook, to be read one after another.
"""

import html
import re
import tempfile
import zipfile
from collections.abc import Iterator

from python_calamine import CalamineSheet, CalamineWorkbook

from campaigns.files.archive import Archive, Readable
from campaigns.files.bad import BadFile

WORKBOOK = "xl/workbook.xml"
MOST_COLUMNS = 104  # A to CZ
MOST_CELLS = 10_000_000  # of the rectangle around one strip, at 24 bytes each
STRIP = 2 * 1024 * 1024  # bytes of XML, small enough that its cells stay in the processor's cache
_PIECE = 1024 * 1024
_LARGEST_PART = 16 * 1024 * 1024  # bytes of what describes the workbook
_LARGEST_STRINGS = 192 * 1024 * 1024  # bytes; calamine keeps these in memory
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s([^>]*)>")
_DATE_1904 = re.compile(r"""date1904\s*=\s*["'](?:1|true)["']""")
_ROOT = re.compile(rb"<(?:\w+:)?worksheet\b[^>]*>")
_ROWS = re.compile(rb"<((?:\w+:)?)sheetData\s*(/?)>")
_NUMBER = re.compile(rb"""\br\s*=\s*["'][A-Za-z]*([0-9]{1,9})""")
_TWO_LETTERS = re.compile(rb"""\br\s*=\s*["'][A-Za-z]{2}""")
_FAR_COLUMN = re.compile(rb"""\br\s*=\s*["'](?:[A-Za-z]{3}|[D-Zd-z][A-Za-z])""")
_COUNT = re.compile(rb"""uniqueCount\s*=\s*(?:["'](\d{1,10})["'])?""")
_SHORTEST_STRING = 13  # bytes: <si><t/></si>
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


class Strips:
    """A workbook whose sheets are the strips of one."""

    def __init__(self, path: str, count: int) -> None:
        # The open file outlives its name.
        self._workbook, self._count = CalamineWorkbook.from_path(path), count

    def __len__(self) -> int:
        return self._count

    def sheet(self, strip: int) -> CalamineSheet:
        """Raises what calamine raises for a damaged one."""
        return self._workbook.get_sheet_by_index(strip)


class Workbook:
    """What a workbook says about its sheets: `sheets` holds their names in their order."""

    def __init__(self, archive: Archive) -> None:
        """Raises `BadFile` for what is no workbook."""
        self._archive = archive
        self._parts = {name.lower(): name for name in archive.names}
        self._told = self._text(WORKBOOK)
        relations = _attributes(_RELATION, self._text("xl/_rels/workbook.xml.rels"))
        targets = {told.get("Id", ""): _place(told.get("Target", "")) for told in relations}
        named = {
            told.get("name", ""): targets.get(_relation(told), "")
            for told in _attributes(_SHEET, self._told)
        }
        self._places = {name: part for name, part in named.items() if part in self._parts}
        self.sheets = tuple(self._places)
        if not self.sheets:
            raise BadFile("The workbook holds no sheet.")

    def cut(self, sheet: str) -> Strips:
        """The sheet's strips. Raises `BadFile` for one that is damaged or asks for too much."""
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as new:
                self._copy(new, "xl/styles.xml", _LARGEST_PART)
                self._copy(new, "xl/sharedStrings.xml", _LARGEST_STRINGS)
                xml, count = _Xml(self._archive.open(self._parts[self._places[sheet]])), 0
                for strip in xml.strips():
                    count += 1
                    with new.open(f"xl/worksheets/sheet{count}.xml", "w") as part:
                        part.write(xml.before)
                        part.write(strip)
                        part.write(xml.after)
                _describe(new, count, bool(_DATE_1904.search(self._told)))
            file.flush()
            return Strips(file.name, count)

    def _copy(self, new: zipfile.ZipFile, part: str, most: int) -> None:
        if part.lower() not in self._parts:
            return
        source, copied, before = self._archive.open(self._parts[part.lower()]), 0, b""
        with new.open(part, "w") as target:
            while piece := source.read(_PIECE):
                copied += len(piece)
                if copied > most or b"\0" in piece:
                    raise BadFile("The workbook holds too much text or too many styles.")
                _check_counts(before + piece, most)
                before = piece[-100:]
                target.write(piece)

    def _text(self, part: str) -> str:
        if part not in self._parts:
            raise BadFile("The file is no workbook that can be read: save it as XLSX or as CSV.")
        told = self._archive.open(self._parts[part]).read(_LARGEST_PART)
        try:
            return told.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadFile("The workbook is damaged.") from error


def _check_counts(piece: bytes, most: int) -> None:
    """calamine makes room for as many texts as it is told, and ends the process if it cannot."""
    for count in _COUNT.findall(piece):
        if not count or int(count) > most // _SHORTEST_STRING:
            raise BadFile("The workbook claims more text than it can hold.")


def _attributes(element: re.Pattern[str], xml: str) -> Iterator[dict[str, str]]:
    for found in element.finditer(xml):
        pairs = _ATTRIBUTE.findall(found[1])
        yield {name: html.unescape(double or single) for name, double, single in pairs}


def _relation(told: dict[str, str]) -> str:
    return next((value for name, value in told.items() if name.endswith(":id")), "")


def _place(target: str) -> str:
    """The part's name, in lower case; targets are relative to the workbook or to the root."""
    target = target.lower()
    return target[1:] if target.startswith("/") else f"xl/{target.removeprefix('./')}"


class _Xml:
    """A sheet's XML while it is unpacked: what stands around its rows, and these in strips."""

    def __init__(self, source: Readable) -> None:
        """Raises `BadFile`, also while strips are taken."""
        self._source, self._buffer = source, bytearray()
        while not (rows := _ROWS.search(self._buffer)):
            piece = source.read(_PIECE)
            self._buffer += piece
            if not piece or len(self._buffer) > _LARGEST_PART:
                raise BadFile("The sheet is damaged or not as a spreadsheet writes it.")
        root = _ROOT.search(self._buffer)
        prefix, is_empty = rows[1], bool(rows[2])
        self.before = (root[0] if root else b"<worksheet>") + b"<" + prefix + b"sheetData>"
        self.after = b"</" + prefix + b"sheetData></" + prefix + b"worksheet>"
        self._rows_end = b"</" + prefix + b"sheetData"
        self._end = re.compile(self._rows_end + rb"\s*>")
        self._row, self._cell = b"<" + prefix + b"row", b"<" + prefix + b"c"
        self._row_end = b"</" + prefix + b"row>"
        del self._buffer[: rows.end()]
        if is_empty:  # <sheetData/>
            self._buffer[:] = b"</" + prefix + b"sheetData>"

    def strips(self) -> Iterator[bytes]:
        """The rows, some thousands at a time."""
        seen = 0
        while not (end := self._last(max(0, seen - 40))):
            seen = len(self._buffer)
            piece = self._source.read(_PIECE)
            if not piece or b"\0" in piece:
                raise BadFile("The sheet ends in the middle.")
            self._buffer += piece
            if seen >= STRIP:
                yield self._checked(self._taken(self._whole_rows(seen)))
                seen = 0
        yield self._checked(self._taken(end.start()))

    def _last(self, seen: int) -> re.Match[bytes] | None:
        """Where the rows end, unless that is still to come. A plain search is faster than `re`."""
        at = self._buffer.find(self._rows_end, seen)
        return self._end.search(self._buffer, at) if at >= 0 else None

    def _whole_rows(self, most: int) -> int:
        last = self._buffer.rfind(self._row_end, 0, most)
        if last < 0:
            raise BadFile("A row of the sheet is too long.")
        return last + len(self._row_end)

    def _taken(self, length: int) -> bytes:
        rows = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        return rows

    def _checked(self, rows: bytes) -> bytes:
        """The strip, if the rectangle around its cells is not far larger than it.

        Every reference is looked at, but as a rule by one search for a cell without a usual one:
        to take each of them apart would cost more than reading the sheet does.
        """
        first, last = rows.find(self._row_end), rows.rfind(self._row)
        numbers = [int(n) for n in _NUMBER.findall(rows[:first]) + _NUMBER.findall(rows[last:])]
        if numbers and numbers[0] > numbers[-1]:
            raise BadFile("The sheet claims far more rows or columns than it fills.")
        if not (numbers and self._is_usual(rows, numbers[0], numbers[-1])):
            self._check_closely(rows)
        return rows

    def _is_usual(self, rows: bytes, first: int, last: int) -> bool:
        """Whether each cell's reference is written as spreadsheets do, and lies in the rectangle.

        Rows without cells make no room, so their references do not matter then.
        """
        low, high = _about(first)[0], _about(last)[1]
        if self._cell != b"<c" or b":c" in rows:
            return False
        for columns, widest in (("[A-Z]", 26), ("[A-C]?[A-Z]", MOST_COLUMNS)):
            if (high - low + 1) * widest <= MOST_CELLS:
                unusual = rf'<c(?! r="{columns}(?:{_numbers(low, high)})")'.encode()
                if not re.search(unusual, rows):
                    return True
        return False

    def _check_closely(self, rows: bytes) -> None:
        """Cells and rows may do without references: they are counted here, one by one."""
        numbers = [int(number) for number in _NUMBER.findall(rows)] or [1]
        widest = MOST_COLUMNS if _TWO_LETTERS.search(rows) else 26
        widest += max(row.count(self._cell) for row in rows.split(self._row_end))
        height = max(numbers) - min(numbers) + rows.count(self._row)
        if height * widest > MOST_CELLS or _FAR_COLUMN.search(rows):
            raise BadFile("The sheet claims far more rows or columns than it fills.")


def _about(number: int) -> tuple[int, int]:
    """The numbers of as many digits that begin with the same two: the first, and the last."""
    tail = 10 ** max(0, len(str(number)) - 2)
    return number // tail * tail, number // tail * tail + tail - 1


def _numbers(low: int, high: int) -> str:
    """A pattern of the numbers between two that end a range of `_about`."""
    shapes = []
    for digits in range(len(str(low)), len(str(high)) + 1):
        tail = 10 ** max(0, digits - 2)
        first = max(low, 10 ** (digits - 1)) // tail
        last = min(high, 10**digits - 1) // tail
        for tens in range(first // 10, last // 10 + 1):
            ones = f"[{max(first - tens * 10, 0)}-{min(last - tens * 10, 9)}]"
            shapes.append(f"{tens or ''}{ones}[0-9]{{{max(0, digits - 2)}}}")
    return "|".join(shapes)


def _describe(new: zipfile.ZipFile, count: int, date_1904: bool) -> None:
    """The parts that make sheets a workbook."""
    numbers = range(1, count + 1)
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
    new.writestr(
        WORKBOOK,
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(date_1904)}"/>'
        f"<sheets>{sheets}</sheets></workbook>",
    )
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    new.writestr(
        "xl/_rels/workbook.xml.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>',
    )
    new.writestr(
        "_rels/.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r0"'
        f' Type="{_OFFICE}/officeDocument" Target="{WORKBOOK}"/></Relationships>',
    )
    new.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')
