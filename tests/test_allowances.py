"""Rolling limits are never passed, over any stretch of their length."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from campaigns import allowances
from campaigns.db import db
from campaigns.model.transport import Draw
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")

LIMITS = {"second": 3, "minute": 10, "hour": 12}
IT = {"it": LIMITS}


def room(seconds: float) -> int:
    return allowances.rooms(IT, NOON + timedelta(seconds=seconds))["it"]


def draw(number: int, seconds: float) -> None:
    allowances.draw({"it": number}, IT, NOON + timedelta(seconds=seconds))


def test_the_narrowest_limit_decides() -> None:
    assert room(0) == 3
    draw(2, 0)
    assert room(0.5) == room(0.99) == 1
    assert room(1.1) == 3
    for second in (2, 4):
        draw(3, second)
    assert room(6) == 2
    draw(2, 6)
    assert room(30) == 0
    assert room(64) == 2, "of the minute those of the beginning are gone, of the hour none is"


def test_what_has_no_limits_is_neither_asked_nor_counted() -> None:
    free: dict[str, dict[str, int]] = {"free": {}}
    assert allowances.rooms(free, NOON)["free"] == allowances.UNLIMITED
    allowances.draw({"free": 7}, free, NOON)
    assert db.session.scalars(select(Draw)).all() == []


def test_draws_of_one_slice_are_one_row_and_go_when_they_count_no_more() -> None:
    draw(1, 0)
    draw(2, 0.01)
    assert sorted((row.period, row.drawn) for row in db.session.scalars(select(Draw))) == [
        ("hour", 3),
        ("minute", 3),
        ("second", 3),
    ]
    allowances.sweep(NOON + timedelta(minutes=2))
    assert db.session.scalars(select(Draw.period)).all() == ["hour"]
    [hour] = db.session.scalars(select(Draw))
    allowances.sweep(hour.until)
    assert db.session.scalars(select(Draw)).all() == []


def test_letters_that_keep_to_the_slowest_limit_are_so_far_apart() -> None:
    assert allowances.interval({"second": 10, "hour": 60}) == timedelta(minutes=1)
    assert allowances.interval({}) == timedelta(0)


@settings(max_examples=15, derandomize=True)
@given(st.lists(st.integers(0, 400), min_size=10, max_size=40))
def test_no_stretch_of_a_limit_s_length_has_more_letters_than_it_allows(pauses: list[int]) -> None:
    db.session.execute(delete(Draw))
    at, claimed = 0.0, []
    for pause in pauses:
        at += pause / 100
        if room(at):
            draw(1, at)
            claimed.append(at)
    for begin in claimed:
        for period, most in LIMITS.items():
            length = {"second": 1, "minute": 60, "hour": 3600}[period]
            assert len([one for one in claimed if begin <= one < begin + length]) <= most
