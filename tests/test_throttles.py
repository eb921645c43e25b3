"""Throttles: windows, growing waits, and what they keep."""

from datetime import timedelta

from flask import Flask

from campaigns import throttles
from campaigns.db import db
from campaigns.model.throttle import Throttle
from campaigns.throttles import NO_WAIT, Pace
from tests.make import NOON

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
PACE = Pace(free=2, longest=timedelta(seconds=5))


def test_a_window_lets_so_many_through_and_then_none(app: Flask) -> None:
    answers = [throttles.allow("ada", 2, MINUTE, NOON) for _ in range(4)]
    assert answers == [True, True, False, False]


def test_a_new_window_begins_after_the_old_one(app: Flask) -> None:
    for _ in range(3):
        throttles.allow("ada", 2, MINUTE, NOON)
    assert throttles.allow("ada", 2, MINUTE, NOON + MINUTE)


def test_one_subject_does_not_slow_another(app: Flask) -> None:
    throttles.allow("ada", 1, MINUTE, NOON)
    assert throttles.allow("bob", 1, MINUTE, NOON)


def test_waits_double_up_to_the_longest(app: Flask) -> None:
    waits, at = [], NOON
    for _ in range(7):
        while wait := throttles.turn("ada", PACE, at):
            waits.append(wait)
            at += wait
    assert waits == [SECOND * seconds for seconds in (1, 2, 4, 5, 5)]


def test_a_refused_try_does_not_lengthen_the_wait(app: Flask) -> None:
    for _ in range(2):
        throttles.turn("ada", PACE, NOON)
    for _ in range(9):
        assert throttles.turn("ada", PACE, NOON) == SECOND


def test_a_quiet_hour_is_a_fresh_start(app: Flask) -> None:
    for step in range(4):
        throttles.turn("ada", PACE, NOON + MINUTE * step)
    later = NOON + timedelta(hours=2)
    assert [throttles.turn("ada", PACE, later) for _ in range(3)] == [NO_WAIT, NO_WAIT, SECOND]


def test_a_try_given_back_does_not_count(app: Flask) -> None:
    for _ in range(5):
        assert throttles.turn("ada", PACE, NOON) == NO_WAIT
        throttles.give_back("ada")


def test_sweeping_drops_only_what_slows_nobody(app: Flask) -> None:
    throttles.turn("old", PACE, NOON - timedelta(days=2))
    throttles.turn("new", PACE, NOON)
    throttles.sweep(NOON)
    assert [row.subject for row in db.session.query(Throttle)] == [throttles.hashed("new")]
