"""Fault row 1: the worker killed with -9 again and again in the middle of a mailing."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.delivery import Attempt, Delivery
from campaigns.model.mailing import Mailing
from tests.conftest import empty_database
from tests.faults.post import Post, mailing_due_now
from workers.office import CONNECTIONS

pytestmark = pytest.mark.stack
LEAST_KILLS = 5


@pytest.mark.timeout(420)
@pytest.mark.parametrize("letters", [400, pytest.param(2000, marks=pytest.mark.judge)])
def test_no_letter_is_lost_or_doubled(dialect: str, tmp_path: Path, letters: int) -> None:
    with (
        empty_database(dialect, tmp_path) as url,
        Post(url, tmp_path).standing("--delay-ms", "20") as post,
        post.app.app_context(),
    ):
        mailing_id = mailing_due_now(letters)
        kills = _storm(post, letters, random.Random(20))
        post.start_worker()
        _until(lambda: _state(mailing_id) == "sent", 120)
        post.kill_worker()
        _compare(post, letters, kills)


def _storm(post: Post, letters: int, chance: random.Random) -> int:
    """Kill in the middle of sending until nearly all letters are out.

    A worker takes longer to start than the 1 to 2 s between kills that the matrix names, so most
    kills wait for a number of letters of each worker's life; every fourth falls into its start.
    """
    kills = 0
    while (left := letters - post.letters()) > letters // 5 or kills < LEAST_KILLS:
        post.start_worker()
        if kills % 4 == 3:
            time.sleep(chance.uniform(1, 2))
        else:
            enough = post.letters() + chance.randint(1, max(left // 3, 1))
            _until(lambda enough=enough: post.letters() >= enough, 60)  # type: ignore[misc]
        post.kill_worker()
        kills += 1
    return kills


def _compare(post: Post, letters: int, kills: int) -> None:
    """The relay's account against the table, letter by letter."""
    db.session.rollback()
    taken = Counter(post.taken())
    states = {row.id: str(row.state) for row in db.session.scalars(select(Delivery))}
    known = {"sent": {1}, "unknown": {0, 1}}
    wrong = {
        delivery: (state, taken[delivery])
        for delivery, state in states.items()
        if taken[delivery] not in known.get(state, set())
    }
    unknown = [delivery for delivery, state in states.items() if state == "unknown"]
    listed = db.session.scalars(select(Attempt.delivery_id).where(Attempt.outcome == "unknown"))
    assert wrong == {}
    assert set(taken) <= set(states)
    assert len(states) == letters
    assert kills >= LEAST_KILLS
    assert 0 < len(unknown) <= kills * CONNECTIONS
    assert set(unknown) <= set(listed)


def _state(mailing_id: int) -> str:
    db.session.rollback()
    return str(db.session.scalar(select(Mailing.state).where(Mailing.id == mailing_id)))


def _until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not come true within {seconds} s"
        time.sleep(0.01)
