"""Questions taken ahead: they follow others to their host, and there are never more at once."""

from collections import Counter

import pytest
from flask import Flask

from campaigns import hosts, polling
from campaigns.db import db
from campaigns.model.host import Turn
from campaigns.platforms.base import Unreadable
from campaigns.questions import Question, Response
from tests.make import NOON
from tests.test_hosts import DOWN, MINUTE, SECOND, answered, host, listings, taken


def taken_ahead(limit: int = 64, **spare: int) -> tuple[list[Question], list[Question]]:
    """What is taken at noon: those with a place, and those ahead."""
    under_way = {f"{name}.example": number for name, number in spare.items()}
    found = polling.take_due(NOON, limit, spare=under_way)
    db.session.commit()
    return [one for one in found if not one.ahead], [one for one in found if one.ahead]


def ended(question: Question, *begun: Question) -> None:
    outcome = Response(question, error=Unreadable("Not what we know.")).outcome
    hosts.end([outcome], NOON + SECOND, [one.turn_id for one in begun])
    db.session.commit()


def test_for_each_that_is_asked_one_is_taken_ahead(app: Flask) -> None:
    host(at_once=3)
    listings(10)
    now, ahead = taken_ahead()
    assert (len(now), len(ahead)) == (3, 3)
    assert max(one.listing_id for one in now) < min(one.listing_id for one in ahead)
    assert taken(NOON) == []


def test_what_follows_has_the_place_of_the_one_before_and_no_other(app: Flask) -> None:
    host(at_once=2)
    listings(10)
    (first, second), (third, fourth) = taken_ahead()
    ended(first, third)
    assert taken(NOON + SECOND) == [], "two are under way still"
    ended(third)
    assert len(taken(NOON + SECOND)) == 1
    ended(second)
    assert len(taken(NOON + SECOND)) == 1, "the fourth has no place before it begins"


def test_what_followed_and_ended_before_anybody_noted_it_has_no_place(app: Flask) -> None:
    host(at_once=1)
    listings(5)
    (first,), (second,) = taken_ahead()
    outcomes = [Response(one).outcome for one in (first, second)]
    hosts.end(outcomes, NOON + SECOND, [second.turn_id])
    db.session.commit()
    assert len(taken(NOON + SECOND)) == 1


def test_what_is_ahead_counts_in_the_minute_from_when_it_begins(app: Flask) -> None:
    host(at_once=2, a_minute=3)
    listings(10)
    (first, second), (third,) = taken_ahead()
    hosts.end([Response(first).outcome], NOON + 30 * SECOND, [third.turn_id])
    hosts.end([Response(one).outcome for one in (second, third)], NOON + 31 * SECOND)
    db.session.commit()
    assert taken(NOON + 59 * SECOND) == []
    assert len(taken(NOON + MINUTE)) == 2, "the third began half a minute later"


def test_only_those_under_way_here_are_followed(app: Flask) -> None:
    host("one.example", at_once=4)
    host("two.example", at_once=4)
    listings(8)
    listings(8, "two.example")
    taken(NOON, limit=8)
    now, ahead = taken_ahead(one=3)
    assert now == []
    assert Counter(one.host for one in ahead) == {"one.example": 3}


def test_what_has_a_place_comes_before_what_has_none(app: Flask) -> None:
    host("one.example", at_once=2)
    listings(10)
    listings(3, "two.example")
    now, ahead = taken_ahead(limit=4)
    assert Counter(one.host for one in now) == {"one.example": 2, "two.example": 2}
    assert Counter(one.host for one in ahead) == {"one.example": 2, "two.example": 1}


def test_nothing_is_taken_ahead_where_the_host_did_not_answer_well(app: Flask) -> None:
    host(at_once=2)
    listings(10)
    answered(taken(NOON)[0], NOON, DOWN)
    now, ahead = taken_ahead(one=1)
    assert (len(now), ahead) == (1, [])


def test_what_is_ahead_is_nobody_elses_though_it_is_made_due(app: Flask) -> None:
    host(at_once=1)
    listings(2)
    taken_ahead()
    polling.make_due(NOON + SECOND)
    assert taken(NOON + 2 * SECOND) == []
    assert len(taken(NOON + hosts.LEASE)) == 1, "what was asked first is due like any other"


def test_what_was_ahead_and_did_not_follow_is_due_again(app: Flask) -> None:
    host(at_once=1, a_minute=2)
    listings(2)
    (first,), ahead = taken_ahead()
    polling.release(ahead, NOON)
    ended(first)
    assert [one.listing_id for one in taken(NOON + SECOND)] == [ahead[0].listing_id]


@pytest.mark.parametrize("closed", [1, 3])
def test_where_one_is_put_off_another_has_its_place(app: Flask, closed: int) -> None:
    host(at_once=2)
    for listing in listings(4)[:closed]:
        listing.opens_at, listing.closes_at = 9 * 60, 12 * 60
    db.session.commit()
    now, ahead = taken_ahead()
    assert (len(now), len(ahead)) == {1: (2, 1), 3: (1, 0)}[closed]
    noted = db.session.query(Turn).filter(Turn.ahead).count()
    assert noted == len(ahead)


def test_a_thread_that_is_free_is_not_needed_for_what_is_ahead(app: Flask) -> None:
    host(at_once=3)
    listings(10)
    now, ahead = taken_ahead(limit=0, one=2)
    assert (now, len(ahead)) == ([], 2)
