"""Sheets are read as text, by the row that a spreadsheet shows, and bombs are refused."""

import resource
import time
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO

import openpyxl
import pytest

from campaigns.files import strips
from campaigns.files.bad import BadFile
from campaigns.files.table import open_table
from tests.files import bombs

MOMENT = datetime(2026, 9, 7, 10, 0, 5)  # noqa: DTZ001 - a sheet knows no zones


def made(*rows: Sequence[object], title: str = "账单") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    body = BytesIO()
    book.save(body)
    return body.getvalue()


def read(body: bytes, member: str | None = None, width: int = 0) -> list[tuple[int, list[str]]]:
    return list(open_table(BytesIO(body), member=member).rows("", width))


def test_cells_are_written_as_a_spreadsheet_shows_them() -> None:
    body = made(
        [
            "文字",
            100,
            0.1,
            1234.5,
            True,
            MOMENT,
            date(2026, 9, 7),
            None,
            "x",
        ]
    )
    assert read(body) == [
        (1, ["文字", "100", "0.1", "1234.5", "True", "2026-09-07 10:00:05",
             "2026-09-07", "", "x"]),
    ]  # fmt: skip


def test_a_number_of_more_than_fifteen_digits_shows_that_it_was_rounded() -> None:
    ((_, cells),) = read(made([123456789012345, 1234567890123456, 4.2e27, 0.30000000000000004]))
    assert cells == ["123456789012345", "1.23456789012346e+15", "4.2e+27", "0.3"]


def test_a_long_sheet_is_read_in_strips_as_if_it_were_one(monkeypatch: pytest.MonkeyPatch) -> None:
    body = made(*([None, n, f"第 {n} 行" if n % 3 else None] for n in range(1, 501)))
    whole = read(body)
    monkeypatch.setattr(strips, "STRIP", 2_000)
    monkeypatch.setattr(strips, "_PIECE", 700)
    assert read(body, width=3) == [(n, (cells + [""])[:3]) for n, cells in whole]
    assert [number for number, _ in whole] == list(range(1, 501))


def test_rows_without_numbers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    row = '<row><c t="inlineStr"><is><t>x</t></is></c><c><v>{}</v></c></row>'
    rows = "".join(row.format(n) for n in range(100))
    monkeypatch.setattr(strips, "STRIP", 500)
    monkeypatch.setattr(strips, "_PIECE", 200)
    found = read(bombs.workbook(f"<sheetData>{rows}</sheetData>"))
    assert found == [(n + 1, ["x", str(n)]) for n in range(100)]


def test_elements_with_a_prefix_are_understood() -> None:
    rows = '<x:sheetData><x:row r="2"><x:c r="B2"><x:v>7</x:v></x:c></x:row></x:sheetData>'
    root = ' xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    body = bombs.workbook(rows, root=root)
    assert read(body) == [(2, ["", "7"])]


def test_a_sheet_may_be_chosen_by_its_name() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["first"])
    book.create_sheet("第二").append(["second"])
    body = BytesIO()
    book.save(body)
    assert open_table(body).members == ("Sheet", "第二")
    assert read(body.getvalue(), "第二") == [(1, ["second"])]
    with pytest.raises(BadFile, match="nobody"):
        read(body.getvalue(), "nobody")


def test_an_empty_sheet_has_no_rows() -> None:
    assert read(made()) == []
    assert read(bombs.workbook("<sheetData/>")) == []


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="CZ1048576"/></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>',
        '<row r="9"><c r="A9"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A999999999"><v>1</v></c></row>',
        "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in (1, 900_000, 3)),
        "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in (900_001, 1, 900_002)),
        "<row>" + "<c><v>1</v></c>" * 50_000 + "</row>" + "<row><c><v>1</v></c></row>" * 50_000,
        '<row r="1">' + "<c><v>1</v></c>" * 50_000 + '</row><row r="2"><c r="A2"><v>1</v></c></row>'
        + "<row/>" * 200_000,
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r ="A900000"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r\n=\t"900000"><c><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><y:c r= "XFD1"><v>1</v></y:c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><y:c r="A900000"><v>1</v></y:c></row>',
    ],
    ids=["tall", "wide", "backwards", "lying", "far", "near", "square", "hollow", "spaced",
         "spaced row", "spaced wide", "foreign"],
)  # fmt: skip
def test_a_sheet_that_claims_more_than_it_fills_is_refused(rows: str) -> None:
    before = _peak()
    with pytest.raises(BadFile):
        read(bombs.workbook(f'<dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData>'))
    assert _peak() - before < 100


def test_a_bomb_of_rows_is_refused_before_it_is_unpacked() -> None:
    row = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"x" * 30_000_000 + b"</t></is></c></row>"
    began, before = time.monotonic(), _peak()
    with pytest.raises(BadFile, match="suspiciously much"):
        read(bombs.workbook(b"<sheetData>" + row + b"</sheetData>"))
    assert time.monotonic() - began < 5
    assert _peak() - before < 150  # the test's own text, several times


def test_a_row_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "STRIP", 2_000)
    monkeypatch.setattr(strips, "_PIECE", 700)
    with pytest.raises(BadFile, match="too long"):
        read(bombs.workbook('<sheetData><row r="1">' + "<c><v>1</v></c>" * 1000))


def test_entities_are_not_written_out() -> None:
    rows = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    kind = '<!DOCTYPE x [<!ENTITY a "' + "z" * 50_000 + '">]>'
    body = bombs.workbook(rows, strings=f"{kind}<sst><si><t>&a;</t></si></sst>")
    with pytest.raises(BadFile, match="damaged"):
        read(body)


@pytest.mark.parametrize("count", ["4294967295", "99999999999999", "-1", "&#57;999999999"])
@pytest.mark.parametrize(
    "hidden",
    ["", "<sst>", "<!--<sst>-->", " ".join(map(str, range(200_000)))[: 1024 * 1024 - 20]],
    ids=["plain", "nested", "commented", "across pieces"],
)
def test_a_count_of_texts_is_not_believed(count: str, hidden: str) -> None:
    """calamine would make room for so many, and where it cannot, the whole process ends."""
    texts = f'{hidden}<sst uniqueCount="{count}"><si><t>x</t></si></sst>'
    rows = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    with pytest.raises(BadFile, match="text"):
        read(bombs.workbook(rows, strings=texts))


@pytest.mark.parametrize(
    "body",
    [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        bombs.archive({"xl/workbook.xml": "<workbook/>"}),
        bombs.archive({"xl/workbook.xml": b"\xff\xfe", "xl/_rels/workbook.xml.rels": "<x/>"}),
        bombs.workbook("<sheetData><row"),
        bombs.workbook('<sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>'),
    ],
)
def test_what_is_no_workbook_is_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(BadFile, match=r"^[A-Z].*\.$"):
        read(body)


def _peak() -> int:
    """The most memory this process has ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
