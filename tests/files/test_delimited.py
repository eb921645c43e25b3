"""Rows of delimited text keep their line's number, and a broken one takes no other with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.files import delimited
from campaigns.files.bad import BadFile
from campaigns.files.delimited import Broken


def read(text: str, delimiter: str = ",", width: int = 0) -> list[tuple[int, list[str] | str]]:
    return [
        (number, cells.reason if isinstance(cells, Broken) else cells)
        for number, cells in delimited.rows([text], delimiter, width)
    ]


def test_quotes_hold_commas_line_ends_and_quotes() -> None:
    assert read('a,"b,""c""\r\nd"\r\n1,2\r\n') == [
        (1, ["a", 'b,"c"\r\nd']),
        (3, ["1", "2\r"]),
    ]


def test_a_tab_after_a_closing_quote_is_let_be() -> None:
    assert read('1,"a,b"\t,2\n') == [(1, ["1", "a,b\t", "2"])]


def test_a_quote_that_never_closes_spoils_its_own_line_only() -> None:
    rows = read('a,b\n"c,d\n' + "1,2\n" * 30)
    assert rows[1] == (2, "a quote that is not closed")
    assert rows[2:] == [(number, ["1", "2"]) for number in range(3, 33)]


def test_a_stray_quote_that_another_closes_spoils_no_line_between() -> None:
    rows = read('1,"a,2\n3,b,4\n5,"c",6\n', width=3)
    assert rows == [
        (1, "a quote that is not closed"), (2, ["3", "b", "4"]), (3, ["5", "c", "6"]),
    ]  # fmt: skip


def test_a_quote_open_at_the_very_end_loses_no_line() -> None:
    assert read('1,2\n"3,4\n5,6') == [
        (1, ["1", "2"]), (2, "a quote that is not closed"), (3, ["5", "6"]),
    ]  # fmt: skip


def test_a_nul_spoils_its_line() -> None:
    assert read("1,2\n3\0,4\n5,6\n") == [(1, ["1", "2"]), (2, "a NUL character"), (3, ["5", "6"])]


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(BadFile, match="characters"):
        list(delimited.rows(["x" * 200_000] * 20))


def test_a_row_has_no_more_cells_than_a_table_can_have() -> None:
    assert len(read("," * 100_000)[0][1]) == delimited.MOST_CELLS + 1
    assert read('"",' * 5_000) == [(1, "too many cells")]


def test_backticked_cells_are_cut_where_a_comma_and_a_backtick_meet() -> None:
    text = '时间,商品\n`2026,`图书,两本\n"`2026","`图书,两本"\n'
    assert [cells for _, cells in delimited.backticked([text])] == [
        ["时间", "商品"], ["2026", "图书,两本"], ["`2026", "`图书,两本"],
    ]  # fmt: skip


@given(
    rows=st.lists(st.lists(st.text('ab,"\n ', max_size=4), min_size=2, max_size=4), max_size=6),
    size=st.integers(1, 9),
)
def test_what_was_quoted_is_read_back_however_it_was_cut(rows: list[list[str]], size: int) -> None:
    text = "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows
    )
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert [cells for _, cells in delimited.rows(pieces)] == rows


@given(text=st.text('ab,"\n\r\0', max_size=60), size=st.integers(1, 9))
def test_every_line_is_told_of_once(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    numbers = [number for number, _ in delimited.rows(pieces)]
    assert numbers == sorted(set(numbers))
    assert not numbers or numbers[-1] <= text.count("\n") + 1
