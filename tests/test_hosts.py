"""Hosts get as many questions as they may, rest when they ail, and are tried before they go on."""

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from campaigns import hosts, polling
from campaigns.db import db
from campaigns.hosts import Outcome
from campaigns.model.host import Host, Turn
from campaigns.model.listing import Listing
from campaigns.platforms.base import Busy, Gone, PlatformError, Unreachable, Unreadable
from campaigns.questions import Question, Response
from tests import make
from tests.make import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = Unreachable("The server does not answer.")


def listings(number: int, host: str = "one.example") -> list[Listing]:
    campaign = make.campaign()
    return [make.listing(campaign, host=host) for _ in range(number)]


def host(name: str = "one.example", /, **more: int) -> Host:
    row = Host(name=name, **more)
    db.session.add(row)
    db.session.commit()
    return row


def taken(now: datetime, limit: int = 64) -> list[Question]:
    found = polling.take_due(now, limit)
    db.session.commit()
    return found


def answered(question: Question, now: datetime, error: PlatformError | None = None) -> None:
    responses = [Response(question, error=error)]
    hosts.end([response.outcome for response in responses], now)
    polling.settle(polling.asked(responses), now)
    db.session.commit()


def failing(times: int) -> tuple[Host, datetime]:
    """A host that failed so often, once a second; and when."""
    row, now = host(at_once=1), NOON
    listings(times + 4)
    for _ in range(times):
        now += SECOND
        answered(taken(now)[0], now, DOWN)
    return row, now


def test_a_host_seen_for_the_first_time_gets_eight_at_once(app: Flask) -> None:
    listings(20)
    assert len(taken(NOON)) == 8
    assert taken(NOON + SECOND) == []


def test_an_answer_makes_room_for_one_more(app: Flask) -> None:
    host(at_once=3)
    listings(10)
    one, *_ = taken(NOON)
    answered(one, NOON + SECOND)
    assert len(taken(NOON + SECOND)) == 1


def test_a_minute_has_so_many_questions_and_no_more(app: Flask) -> None:
    host(at_once=3, a_minute=5)
    listings(10)
    for question in taken(NOON):
        answered(question, NOON + SECOND)
    assert len(taken(NOON + SECOND)) == 2
    assert len(taken(NOON + MINUTE)) == 1, "the lease of those two is not over"


def test_one_host_with_many_listings_leaves_the_others_their_turn(app: Flask) -> None:
    listings(30)
    listings(2, "two.example")
    assert Counter(question.host for question in taken(NOON, limit=12)) == {
        "one.example": 8,
        "two.example": 2,
    }


def test_who_has_waited_longest_comes_first(app: Flask) -> None:
    late, *_ = listings(3)
    late.next_poll_at = NOON - MINUTE
    db.session.commit()
    assert [question.listing_id for question in taken(NOON, limit=1)] == [late.id]


def test_a_listing_that_is_being_asked_is_not_asked_again_though_somebody_makes_it_due(
    app: Flask,
) -> None:
    (listing,) = listings(1)
    taken(NOON)
    listing.next_poll_at = NOON
    db.session.commit()
    assert taken(NOON + SECOND) == []
    assert len(taken(NOON + hosts.LEASE)) == 1


def test_what_was_not_asked_after_all_is_due_again_and_counts_for_nothing(app: Flask) -> None:
    host(at_once=3, a_minute=3)
    listings(3)
    polling.release(taken(NOON), NOON)
    assert len(taken(NOON)) == 3


def test_a_host_that_fails_five_times_rests_and_is_then_tried_by_one_question(app: Flask) -> None:
    row, now = failing(5)
    row.at_once = 8
    db.session.commit()
    assert row.rests_until is not None
    assert now + hosts.FIRST_REST <= row.rests_until <= now + hosts.FIRST_REST * 1.1
    assert taken(row.rests_until - SECOND) == []
    assert len(taken(row.rests_until)) == 1


def test_a_host_rests_longer_each_time_it_is_tried_in_vain(app: Flask) -> None:
    row, now = failing(5)
    rests = []
    for _ in range(3):
        assert row.rests_until is not None
        now = row.rests_until
        answered(taken(now)[0], now, DOWN)
        rests.append(row.rests_until - now)
    assert rests == sorted(rests)
    assert rests[-1] > 3 * rests[0]
    assert rests[-1] <= hosts.LONGEST_REST * 1.1


def test_a_host_that_answers_again_has_its_whole_room_back(app: Flask) -> None:
    row, _ = failing(5)
    row.at_once = 3
    db.session.commit()
    assert row.rests_until is not None
    answered(taken(row.rests_until)[0], row.rests_until)
    assert row.failures == 0
    assert len(taken(row.rests_until)) == 3


def test_an_answer_between_failures_keeps_a_host_awake(app: Flask) -> None:
    row, now = failing(4)
    answered(taken(now)[0], now)
    answered(taken(now)[0], now, DOWN)
    assert (row.failures, row.rests_until) == (1, None)


@pytest.mark.parametrize("error", [Unreadable("Not what we know."), Gone("Not there.")])
def test_a_page_that_is_gone_or_changed_is_no_fault_of_its_host(
    app: Flask, error: PlatformError
) -> None:
    row = host()
    listings(1)
    answered(taken(NOON)[0], NOON, error)
    assert row.failures == 0


def test_of_questions_that_fail_together_the_later_do_not_lengthen_the_rest(app: Flask) -> None:
    row = host(at_once=20)
    listings(20)
    outcomes = [Response(question, error=DOWN).outcome for question in taken(NOON)]
    hosts.end(outcomes, NOON)
    db.session.commit()
    assert row.failures == hosts.BREAKS_AFTER
    assert row.rests_until is not None
    assert row.rests_until <= NOON + hosts.FIRST_REST * 1.1


def test_a_host_that_asks_for_patience_is_left_alone_with_all_its_listings(app: Flask) -> None:
    row = host(at_once=1)
    listings(2)
    busy = Busy("Patience.", retry_after=timedelta(hours=2))
    answered(taken(NOON)[0], NOON, busy)
    assert row.rests_until == NOON + timedelta(hours=2)
    assert taken(NOON + timedelta(hours=2) - SECOND) == []
    assert len(taken(NOON + timedelta(hours=2))) == 1


def test_a_question_of_no_listing_counts_like_any_other(app: Flask) -> None:
    host(at_once=2, a_minute=3)
    listings(5)
    turn = hosts.admit("one.example", NOON)
    assert len(taken(NOON)) == 1
    hosts.end([Outcome(turn, "one.example", failed=False)], NOON + SECOND)
    assert len(taken(NOON + SECOND)) == 1
    assert taken(NOON + 2 * SECOND) == []


def test_who_is_not_admitted_learns_when_there_is_room(app: Flask) -> None:
    host(at_once=9, a_minute=2)
    for moment in (NOON, NOON + 20 * SECOND):
        hosts.admit("one.example", moment)
    with pytest.raises(hosts.Full) as full:
        hosts.admit("one.example", NOON + 21 * SECOND)
    assert full.value.wait == 39 * SECOND
    hosts.admit("one.example", NOON + MINUTE)


@pytest.mark.parametrize("limits", [{"at_once": 5}, {"at_once": 9, "a_minute": 5}])
def test_who_takes_turns_waits_until_another_worker_has_noted_theirs(
    app: Flask, limits: dict[str, int]
) -> None:
    """The second would take other listings, so that nothing but the host's lock is in its way."""
    host(**limits)
    listings(10)
    first = [question.listing_id for question in polling.take_due(NOON, 5)]
    second: list[Question] = []

    def work() -> None:
        with app.app_context():
            second.extend(polling.take_due(NOON, 5, but=first))
            db.session.commit()

    worker = threading.Thread(target=work)
    worker.start()
    _until_it_waits(worker)
    db.session.commit()
    worker.join()
    assert (len(first), second) == (5, [])


def _until_it_waits(worker: threading.Thread) -> None:
    """Or has ended. SQLite says of nobody that they wait: there it gets half a second for it."""
    asleep = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    known = db.engine.dialect.name == "postgresql"
    for _ in range(1000 if known else 50):
        worker.join(0.01)
        if not worker.is_alive() or (known and db.session.scalar(asleep)):
            return


def test_workers_at_the_same_time_never_take_more_than_a_host_may_get(app: Flask) -> None:
    host("one.example", at_once=5)
    host("two.example", at_once=100, a_minute=7)
    listings(40)
    listings(40, "two.example")
    found: list[Question] = []
    ready = threading.Barrier(8)

    def work() -> None:
        with app.app_context():
            ready.wait()
            for _ in range(3):
                found.extend(taken(NOON, limit=4))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Counter(question.host for question in found) == {"one.example": 5, "two.example": 7}
    assert len({question.listing_id for question in found}) == 12


def test_workers_at_the_same_time_meet_a_new_host_once(app: Flask) -> None:
    listings(40, "new.example")
    workers = [threading.Thread(target=_take_in, args=(app,)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert db.session.scalar(select(func.count()).select_from(Host)) == 1
    assert db.session.scalar(select(func.count()).select_from(Turn)) == 8


def _take_in(app: Flask) -> None:
    with app.app_context():
        taken(NOON)
