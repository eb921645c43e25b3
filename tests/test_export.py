"""Exported cells are what they look like: no spreadsheet runs them, and nothing is lost."""

import csv
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import hypothesis
import openpyxl
import pytest
from hypothesis import strategies as st

from campaigns.files import export

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    '"=1',
    "'=1",
    "  \"'=1",
    "＝1",
    "\n@x",
    '=HYPERLINK("http://example.org")',
    "\x00=1",
    "\u3000=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_may_be_a_formula_is_inert(text: str) -> None:
    assert export.inert(text).startswith("'")


@pytest.mark.parametrize("text", ["", "Ada", "1-2", "a=b", "张三", "2026-11-22", "(ok)", "a@b.org"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert export.inert(text) == text


def read(pieces: Iterator[bytes]) -> list[list[str]]:
    text = b"".join(pieces).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline="")))


def test_numbers_stay_numbers_and_texts_keep_their_commas() -> None:
    moment = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
    row = (Decimal("-10.50"), -3, date(2026, 11, 22), moment, None, 'a "b", c\nd')
    assert read(export.csv_of(["=a", "b"], [row])) == [
        ["'=a", "b"],
        ["-10.50", "-3", "2026-11-22", "2026-11-22 12:05:00", "", 'a "b", c\nd'],
    ]


@hypothesis.given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=20))
def test_no_cell_of_either_kind_begins_like_a_formula(rows: list[list[str]]) -> None:
    cells = [cell for row in read(export.csv_of(["a", "b"], rows)) for cell in row]
    with export.xlsx_of(["a", "b"], rows) as file:
        sheet = openpyxl.load_workbook(file).active
        assert sheet is not None
        held = [cell for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in held} <= {"s", "n", "inlineStr"}
        cells += [str(cell.value or "") for cell in held]
    assert not [cell for cell in cells if cell.lstrip(' "\t\r\n').startswith(tuple("=+-@"))]


def test_a_workbook_holds_amounts_and_days_as_such() -> None:
    moment = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
    row = ("=1", Decimal("-10.50"), moment, date(2026, 1, 2), None, "x" * 40_000)
    with export.xlsx_of(list("abcdef"), [row]) as file:
        sheet = openpyxl.load_workbook(file).active
        assert sheet is not None
        values = [cell.value for cell in list(sheet.iter_rows(min_row=2))[0]]
    assert values[:2] == ["'=1", -10.5]
    assert values[2] == datetime(2026, 11, 22, 12, 5)  # noqa: DTZ001 - a workbook knows no zones
    assert values[3] == datetime(2026, 1, 2)  # noqa: DTZ001
    assert values[4] is None
    assert values[5] == "x" * 32_767


def peak(rows: int) -> int:
    tracemalloc.start()
    some = ((number, "some text", Decimal("1.50")) for number in range(rows))
    for _ in export.csv_of(["a", "b", "c"], some):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_rows() -> None:
    assert peak(40_000) < 2 * peak(4_000)
