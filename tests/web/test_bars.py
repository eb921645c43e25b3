"""A progress bar's pieces stand in proportion, stay visible and never overstate."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import CurrencyMismatch, Money
from campaigns.web import bars
from campaigns.web.bars import Part


def part(minor: int, series: int = 1, matched: bool = False) -> Part:
    return Part(f"series {series}", Money(minor, "CNY"), series, matched)


def test_pieces_stand_end_to_end_in_proportion() -> None:
    bar = bars.split([part(5000, 1), part(2500, 2), part(500, 1, True)], Money(10_000, "CNY"))
    assert bar is not None
    assert [(piece.x, piece.width) for piece in bar.segments] == [
        (Decimal("0"), Decimal("50")),
        (Decimal("50"), Decimal("25")),
        (Decimal("75"), Decimal("5")),
    ]
    assert bar.segments[2].matched
    assert bar.target_x is None


def test_without_a_target_there_is_no_bar() -> None:
    assert bars.split([part(5000)], None) is None
    assert bars.split([part(5000)], Money.zero("CNY")) is None


def test_beyond_the_target_the_target_is_a_mark_on_the_bar() -> None:
    bar = bars.split([part(15_000), part(5_000, 2)], Money(10_000, "CNY"))
    assert bar is not None
    assert bar.target_x == Decimal("50")
    assert bar.segments[-1].x + bar.segments[-1].width == 100


def test_a_refund_larger_than_its_platforms_gifts_takes_no_place() -> None:
    bar = bars.split([part(5000), part(-1000, 2)], Money(10_000, "CNY"))
    assert bar is not None
    assert [piece.series for piece in bar.segments] == [1]
    assert bar.raised == Money(4000, "CNY")


def test_other_currencies_do_not_enter_a_bar() -> None:
    with pytest.raises(CurrencyMismatch):
        bars.split([Part("x", Money(100, "USD"), 1)], Money(100, "CNY"))


@given(
    st.lists(st.integers(1, 10**15), min_size=1, max_size=8),
    st.integers(1, 10**16),
)
def test_whatever_was_raised_every_piece_is_seen_and_only_all_looks_full(
    amounts: list[int], target: int
) -> None:
    bar = bars.split([part(minor) for minor in amounts], Money(target, "CNY"))
    assert bar is not None
    assert all(piece.width >= Decimal("0.6") for piece in bar.segments)
    for before, after in zip(bar.segments, bar.segments[1:], strict=False):
        assert before.x + before.width == after.x
    end = bar.segments[-1].x + bar.segments[-1].width
    assert end == 100 if sum(amounts) >= target else end < 100
