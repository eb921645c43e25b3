"""Amounts in running text: the one meant is found, and nothing else is taken for it."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import Money
from campaigns.platforms import amounts
from campaigns.platforms.amounts import UNITS, WRITTEN, Shape
from campaigns.platforms.misread import Misread

PLAIN = Shape("", "", "1,234.56", "major", "CNY")


def read(text: str, **shape: str) -> list[str]:
    found = amounts.find(amounts.plain(text), replace(PLAIN, **shape))
    return [str(one.raised) for one in found]


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("已筹 1,234.50 元", {}, "1234.50"),
        ("已筹￥１２，３４５．６０", {}, "12345.60"),
        ("raised: €1.234,50", {"written": "1.234,56", "currency": "EUR"}, "1234.50"),
        ("1\u202f234\u202f567,5 €", {"written": "1 234,56", "currency": "EUR"}, "1234567.50"),
        ("CHF 1’234.50", {"written": "1'234.56", "before": "CHF", "currency": "CHF"}, "1234.50"),
        ("raised RMB500", {}, "500.00"),
        ("12345", {"unit": "minor"}, "123.45"),
        ("JPY 5,000", {"currency": "JPY"}, "5000"),
        ("1.23456万", {"unit": "wan"}, "12345.60"),
        ("1.2 万元", {"unit": "said"}, "12000.00"),
        ("9,800元", {"unit": "said"}, "9800.00"),
        ("0.35亿", {"unit": "said"}, "35000000.00"),
        ("980分", {"unit": "said"}, "9.80"),
        ("1.5 million", {"unit": "said"}, "1500000.00"),
        ("-5.00", {}, "-5.00"),
        ("目标 500，已筹 20", {"before": "已筹"}, "20.00"),
        ("已筹：¥ 20 元", {"before": "已筹:"}, "20.00"),
        ("¥20 of $30", {"before": "$"}, "30.00"),
        ("20人 30元", {"after": "元"}, "30.00"),
        ("5分钟前 30元", {"after": "元"}, "30.00"),
        ("截至2026-11-22 14:05，20 元", {}, "20.00"),
        ("支持 5，已筹 123，456 元", {"before": "已筹"}, "123.00"),
        ("2026年 24% A26001 7*** 20 元", {}, "20.00"),
        ("1\u200b,2\u200b34", {}, "1234.00"),
    ],
)
def test_the_amount_meant_is_found(text: str, shape: dict[str, str], expected: str) -> None:
    assert read(text, **shape) == [f"{expected} {shape.get('currency', 'CNY')}"]


@pytest.mark.parametrize(
    ("text", "shape", "setting", "says"),
    [
        ("1.2万", {"unit": "major"}, "unit", "another unit.*万"),
        ("1,200元", {"unit": "wan"}, "unit", "another unit.*元"),
        ("1.234,56", {}, "written", "1.234,56"),
        ("1,23,456", {}, "written", "1,23,456"),
        ("500,000", {"written": "1.234,56"}, "unit", "more decimals"),
        ("1.234", {}, "unit", "more decimals"),
        ("999,999,999,999,999亿", {"unit": "yi"}, "unit", "cannot be read"),
        ("已筹 12***", {"before": "已筹"}, "before", "no plain number"),
        ("已筹 10000+", {"before": "已筹"}, "before", "no plain number"),
        ("raised 12k", {"before": "raised"}, "before", "no plain number"),
    ],
)
def test_what_is_no_plain_amount_is_refused(
    text: str, shape: dict[str, str], setting: str, says: str
) -> None:
    with pytest.raises(Misread, match=says) as caught:
        read(text, **shape)
    assert caught.value.setting == setting


def test_a_figure_shows_its_surroundings() -> None:
    [found] = amounts.find("各位已筹 -1,234.50 元，谢谢", PLAIN)
    assert (found.left, found.shown, found.right) == ("各位已筹 ", "-1,234.50", " 元，谢谢")


def test_the_same_figure_twice_is_one() -> None:
    assert read("20 元 … 20.00 元") == ["20.00 CNY"]
    assert read("20 元 … 21 元") == ["20.00 CNY", "21.00 CNY"]


def test_a_bare_number_may_have_noughts_behind_its_point() -> None:
    assert amounts.of_number("8000000.0", replace(PLAIN, unit="minor")) == Money(8_000_000, "CNY")


@given(
    text=st.text(alphabet="0123456789.,' -−:/万亿元分%*AB已筹¥（", max_size=80) | st.text(),
    before=st.text(max_size=3),
    after=st.text(max_size=3),
    written=st.sampled_from(list(WRITTEN)),
    unit=st.sampled_from(list(UNITS)),
)
def test_no_text_gives_anything_but_amounts_or_why_not(
    text: str, before: str, after: str, written: str, unit: str
) -> None:
    found = []
    with contextlib.suppress(Misread):
        found = amounts.find(amounts.plain(text), Shape(before, after, written, unit, "CNY"))
    assert all(one.shown for one in found)


@given(minor=st.integers(-(10**14), 10**14), written=st.sampled_from(list(WRITTEN)))
def test_what_is_written_in_a_known_way_is_read_exactly(minor: int, written: str) -> None:
    thousands, point = WRITTEN[written]
    shown = f"{Money(minor, 'CNY').decimal:,.2f}".translate(str.maketrans(",.", "TP"))
    shown = shown.replace("T", thousands).replace("P", point)
    assert read(f"已筹 {shown} 元", written=written) == [str(Money(minor, "CNY"))]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["1" * 10**6, "1," * 500_000, "已筹" * 300_000, "1 " * 500_000])
def test_long_texts_are_read_in_one_pass(text: str) -> None:
    assert amounts.find(text, replace(PLAIN, before="没有", written="1 234,56")) == []
