"""Cells of exported tables are read to the last digit or not at all."""

from datetime import UTC, datetime

import pytest

from campaigns.platforms import cells
from campaigns.platforms.cells import BadCell, Moments


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("100.00", 10000),
        ("100", 10000),
        (" 1,234.50\t", 123450),
        ("¥6.66", 666),
        ("￥ 6.66", 666),
        ("`0.60000", 60),
        ("-0.60", -60),
        ("+0.60", 60),
        ("-¥0.60", -60),
        ("¥-0.60", -60),
        ("12.30元", 1230),
        ("１２．３０", 1230),
        ("1，234.5", 123450),
        ("0", 0),
        ("", 0),
        ("/", 0),
        ("100.0000000000", 10000),
    ],
)
def test_an_amount_is_read_as_it_is_written(cell: str, fen: int) -> None:
    assert cells.amount(cell, "CNY") == fen


@pytest.mark.parametrize(
    "cell",
    ["0.005", "0.60500", "1e3", "4.2E+27", "1,2,3", "12,34.00", ".5", "5.", "--5", "NaN", "五",
     "1 元 2", "1" * 16, "9" * 400, "0x10", "1_000", "$5", "5%", "=1+1"],
)  # fmt: skip
def test_what_is_no_amount_in_fen_is_refused(cell: str) -> None:
    with pytest.raises(BadCell):
        cells.amount(cell, "CNY")


def test_decimals_are_those_of_the_currency() -> None:
    assert cells.amount("500", "JPY") == 500
    assert cells.amount("1.234", "KWD") == 1234
    with pytest.raises(BadCell):
        cells.amount("5.5", "JPY")


@pytest.mark.parametrize(
    "cell",
    [
        "2026-09-07 10:00:05",
        "2026/09/07 10:00:05",
        "2026/9/7 10:00:05",
        "2026年09月07日 10:00:05",
        "2026年9月7日10时00分05秒",
        "2026-09-07T10:00:05",
        "2026-09-07 02:00:05Z",
        "2026-09-07 04:00:05+02:00",
        "20260907100005",
        "20260907 10:00:05",
        "46272.4167245370",
        "`2026-09-07 10:00:05\t",
    ],
)
def test_a_time_is_read_in_shanghai_unless_it_says_otherwise(cell: str) -> None:
    for _ in range(2):  # learnt, then remembered
        assert Moments().read(cell) == datetime(2026, 9, 7, 2, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-02-30 10:00:00", "2026-13-01", "2026-09-07 24:00:00", "2026-09-07 10:60:00"),
        *(
            "07/09/2026",
            "2026-09/07",
            "昨天",
            "",
            "2026-09-07 10",
            "2026-9-7 1:00:05:05",
            "99999.5",
        ),
        *("2026-09-07 10:00:05+99:99", "2026-09-07 10:00:05-24:00"),
        *("0001-01-01", "9999-12-31 23:59:59", "1989-12-31"),
    ],
)
def test_a_time_that_is_none_is_refused(cell: str) -> None:
    moments = Moments()
    moments.read("2026-09-07 10:00:00")
    with pytest.raises(BadCell):
        moments.read(cell)


def test_an_hour_that_clocks_skip_is_refused() -> None:
    berlin = Moments("Europe/Berlin")
    with pytest.raises(BadCell, match="does not exist"):
        berlin.read("2026-03-29 02:30:00")
    assert berlin.read("2026-03-29 03:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert berlin.read("2026-03-29 01:30:00") == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_a_prefix_once_read_does_not_lend_itself_to_another_text() -> None:
    moments = Moments()
    moments.read("2026-9-7 1:00:05")
    with pytest.raises(BadCell):
        moments.read("2026-9-7 1:00:05:05")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("4200002026090700000000000001\t", "4200002026090700000000000001"),
        ("`4200002026090700000000000001", "4200002026090700000000000001"),
        ('="0042"', "0042"),
        ("'0042", "0042"),
        ("DON-20260907-000001", "DON-20260907-000001"),
        ("20260907E0001", "20260907E0001"),
        ("", None),
        ("/", None),
        (" \t", None),
    ],
)
def test_a_number_is_taken_exactly(cell: str, number: str | None) -> None:
    assert cells.number(cell) == number


@pytest.mark.parametrize(
    "cell", ["4.2E+27", "4.2e27", "4E27", "4.20002E+27", "1234567890123456.0", "12.5", "1e+20"]
)
def test_a_number_that_a_spreadsheet_rounded_is_refused(cell: str) -> None:
    with pytest.raises(BadCell, match="rounded"):
        cells.number(cell)


@pytest.mark.parametrize("cell", ["a\0b", "a\u202eb", "1" * 201, "a" * 201])
def test_a_number_that_cannot_be_one_is_refused(cell: str) -> None:
    with pytest.raises(BadCell):
        cells.number(cell)


@pytest.mark.parametrize(
    ("cell", "name", "email"),
    [
        ("张三 (zh***@example.com)", "张三", None),
        ("王五（wang@example.com）", "王五", "wang@example.com"),
        ("*三(138****2600)", "*三", None),
        ("某基金会（北京）", "某基金会（北京）", None),
        ("(x)", "(x)", None),
        ("赵六", "赵六", None),
        ("", None, None),
    ],
)
def test_a_party_is_a_name_and_maybe_an_address(
    cell: str, name: str | None, email: str | None
) -> None:
    assert cells.party(cell) == (name, email)


def test_words_lose_what_would_turn_or_break_a_line() -> None:
    assert cells.words("加\u202e油\0\t") == "加油"
    with pytest.raises(BadCell, match="too long"):
        cells.words("x" * 10_001)


def test_a_reason_quotes_no_more_than_a_line_of_a_cell() -> None:
    reason = str(BadCell("An amount cannot be read", "x\n" + "y" * 500))
    assert len(reason) < 100
    assert "\n" not in reason
