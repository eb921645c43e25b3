"""Amounts as people type or copy them: read for what they say, or not at all."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import BadMoney, Money
from campaigns.platforms import typed


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1234.5", 123_450),
        ("1,234.56", 123_456),
        ("1,234,567", 123_456_700),
        ("１，２３４．５６", 123_456),
        ("1，234.56", 123_456),
        ("¥1,234.56", 123_456),
        ("￥ 1,234.56 元", 123_456),
        ("RMB 12", 1_200),
        ("12 CNY", 1_200),
        ("¥\u202f114,010.00", 11_401_000),
        ("1\u200b2", 1_200),
        ("12.5万", 12_500_000),
        ("12.5 万元", 12_500_000),
        ("1.234567万", 1_234_567),
        ("3千", 300_000),
        ("1.2亿", 12_000_000_000),
        ("0", 0),
        ("-5", -500),
        ("−¥5.00", -500),
        ("+5", 500),
    ],
)
def test_an_amount_is_what_it_says(text: str, fen: int) -> None:
    assert typed.amount(text, "CNY") == Money(fen, "CNY")


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\u200b"])
def test_nothing_is_no_amount(text: str) -> None:
    assert typed.amount(text, "CNY") is None


@pytest.mark.parametrize(
    "text",
    ["ten", "1,5", "1,23", "12,3456", "1.234.567", "1.005", "1.23456789万", "$5", "5 USD", "--5",
     "1e5", "¥", "12*", "10000+", "5万万", "９" * 16, "1 2 3 4,5"],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadMoney):
        typed.amount(text, "CNY")


def test_marks_and_decimals_are_those_of_the_currency() -> None:
    assert typed.amount("US$12.50", "USD") == Money(1250, "USD")
    assert typed.amount("¥1,234", "JPY") == Money(1234, "JPY")
    assert typed.amount("3 CHF", "CHF") == Money(300, "CHF")
    for text, currency in (("¥12.50", "JPY"), ("€5", "USD"), ("1.5 元", "USD")):
        with pytest.raises(BadMoney):
            typed.amount(text, currency)


@given(st.integers(-(10**14), 10**14), st.sampled_from(["CNY", "USD", "JPY", "BHD"]))
def test_what_we_write_is_read_as_it_was(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert typed.amount(money.amount, currency) == money
    assert typed.amount(f"{money.decimal:,}", currency) == money
    assert typed.amount(str(money), currency) == money


@given(st.text(max_size=20))
def test_no_text_upsets_it(text: str) -> None:
    with suppress(BadMoney):
        typed.amount(text, "CNY")
