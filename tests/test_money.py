"""Money counts whole minor units, and nothing else gets in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import BadMoney, CurrencyMismatch, Money

MINOR = st.integers(-(2**62), 2**62)
CURRENCY = st.sampled_from(["CNY", "USD", "JPY", "KWD", "CLF"])


def test_money_reads_as_people_write_it() -> None:
    assert Money.parse("10.50 CNY") == Money(1050, "CNY")


def test_money_is_as_much_as_the_ledger_can_hold_and_no_more() -> None:
    for most in (2**63 - 1, 1 - 2**63):
        assert Money(most, "CNY").minor == most
    for more in (2**63, -(2**63)):
        with pytest.raises(BadMoney, match="larger"):
            Money(more, "CNY")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("20", "CNY", 2000),
        ("100", "JPY", 100),
        ("1.234", "KWD", 1234),
        ("-0.01", "CNY", -1),
        ("1.000", "CNY", 100),
    ],
)
def test_each_currency_has_its_own_decimals(amount: str, currency: str, minor: int) -> None:
    assert Money.of(amount, currency).minor == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("10.505", "CNY"), ("1.5", "JPY"), ("1.0001", "KWD"), ("0.001", "USD")],
)
def test_more_decimals_than_the_currency_has_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(BadMoney, match="more decimals"):
        Money.of(amount, currency)


@pytest.mark.parametrize(
    "amount",
    ["", " 1", "1 ", "1,000", "1e3", "٣", "１０", "NaN", "inf", ".5", "5.", "--1", "1\n", "9" * 20],
)
def test_what_is_not_a_plain_decimal_is_refused(amount: str) -> None:
    with pytest.raises(BadMoney):
        Money.of(amount, "CNY")


@pytest.mark.parametrize("minor", [1.0, True, "1", None, Decimal(1)])
def test_floats_and_other_numbers_are_refused(minor: object) -> None:
    with pytest.raises(BadMoney):
        Money(minor, "CNY")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["", "cny", "RMB", "XXX", "XAU", "CN"])
def test_only_currencies_with_minor_units_are_money(currency: str) -> None:
    with pytest.raises(BadMoney):
        Money(1, currency)


def test_an_amount_must_fit_the_ledger() -> None:
    with pytest.raises(BadMoney):
        Money(2**63, "CNY")


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "CNY") < Money(1, "USD")


@given(MINOR, CURRENCY)
def test_what_is_written_is_read_again(minor: int, currency: str) -> None:
    money = Money(minor // 10**6, currency)
    assert Money.parse(str(money)) == money


@given(st.lists(st.integers(-(10**12), 10**12)), CURRENCY)
def test_a_sum_is_the_sum_of_its_minor_units(minors: list[int], currency: str) -> None:
    assert Money.sum([Money(minor, currency) for minor in minors], currency).minor == sum(minors)


@given(MINOR, MINOR, CURRENCY)
def test_order_is_that_of_the_minor_units(one: int, other: int, currency: str) -> None:
    assert (Money(one, currency) < Money(other, currency)) == (one < other)
    assert (Money(one, currency) <= Money(other, currency)) == (one <= other)
    assert (Money(one, currency) > Money(other, currency)) == (one > other)
    assert (Money(one, currency) >= Money(other, currency)) == (one >= other)


def test_order_knows_what_is_equal() -> None:
    one = Money(1050, "CNY")
    assert one <= Money(1050, "CNY")
    assert not one < Money(1050, "CNY")
    assert not one > Money(1050, "CNY")


def test_a_difference_is_that_of_the_minor_units() -> None:
    assert Money(1050, "CNY") - Money(1100, "CNY") == Money(-50, "CNY")


@pytest.mark.parametrize(("minor", "holds"), [(0, False), (1, True), (-1, True)])
def test_only_nothing_is_nothing(minor: int, holds: bool) -> None:
    assert bool(Money(minor, "CNY")) is holds


@given(st.text(max_size=30))
def test_no_text_causes_anything_but_a_clear_refusal(text: str) -> None:
    try:
        money = Money.parse(text)
    except BadMoney:
        return
    assert isinstance(money.minor, int)
