"""A pasted table is read by its headings, and nothing of it is lost silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.files.bad import BadFile
from campaigns.files.pasted import Columns, MissingColumn, NoTable, TooManyRows, UnknownColumn

COLUMNS = Columns(
    {"day": ("date", "日期"), "amount": ("金额",), "name": ("姓名", "donor's name")},
    needed=("day", "amount"),
    most=5,
)


def read(text: str, order: str = "") -> list[tuple[int, dict[str, str]]]:
    return [(line.number, dict(line.cells)) for line in COLUMNS.lines(text, order)]


ADA = {"day": "2026-11-22", "amount": "10.50", "name": "Ada"}


@pytest.mark.parametrize(
    "text",
    [
        "day,amount,name\n2026-11-22,10.50,Ada",
        "日期\t金额（元）\t姓名\r\n2026-11-22\t10.50\tAda\r\n",
        "\n\n Amount ; Donor's name ; DATE\n10.50;Ada;2026-11-22\n;;\n",
        "日期，金额，姓名\n2026-11-22，10.50，Ada",
        'day,amount,name\n"2026-11-22","10.50","Ada"',
        "\ufeffday,amount,name\n2026-11-22,10.50,Ada",
    ],
)
def test_spreadsheets_of_many_sorts_say_the_same(text: str) -> None:
    ((_, cells),) = read(text)
    assert cells == ADA


def test_rows_are_numbered_as_people_count() -> None:
    assert [number for number, _ in read("day,amount\n\n1,2\n\n3,4\n")] == [3, 5]


def test_without_headings_the_order_is_said() -> None:
    assert read("10.50\t2026-11-22\tAda", "amount、日期，name") == [(1, ADA)]
    assert read("amount\tday\tname\n10.50\t2026-11-22\tAda", "amount,day,name") == [(2, ADA)]


@pytest.mark.parametrize(
    ("text", "order", "error"),
    [
        ("", "", NoTable),
        (" \n\t\n", "", NoTable),
        ("2026-11-22,10.50", "", NoTable),
        ("day,amount", "", NoTable),
        ("day,amount,phone\n1,2,3", "", UnknownColumn),
        ("1,2,3", "day,amount,phone", UnknownColumn),
        ("day,name\n1,2", "", MissingColumn),
        ("day,amount,日期\n1,2,3", "", MissingColumn),
        ("day,amount\n" + "1,2\n" * 6, "", TooManyRows),
    ],
)
def test_a_table_that_would_be_misread_is_refused(
    text: str, order: str, error: type[BadFile]
) -> None:
    with pytest.raises(error):
        read(text, order)


@pytest.mark.parametrize("row", ["1,2,3,4", '1,"2', "1,2,,x"])
def test_a_row_that_does_not_fit_is_said_to_be_broken(row: str) -> None:
    (line,) = COLUMNS.lines(f"day,amount,name\n{row}")
    assert line.broken
    assert line["day"] == ""


def test_what_stands_below_no_heading_is_not_lost() -> None:
    fits, broken = COLUMNS.lines("day,,amount\n1,,2\n1,x,2")
    assert (fits.broken, broken.broken) == (False, True)


@given(st.text(), st.text())
def test_anything_may_be_pasted(text: str, order: str) -> None:
    try:
        lines = COLUMNS.lines(text, order)
    except BadFile:
        return
    assert 0 < len(lines) <= 5


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(categories=["L", "N"]), min_size=1)] * 3),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_written_is_what_is_read(rows: list[tuple[str, ...]]) -> None:
    text = "\n".join("\t".join(row) for row in [("day", "amount", "name"), *rows])
    assert [tuple(cells.values()) for _, cells in read(text)] == rows
