"""Polling by the clock: due listings are taken, asked in threads, and their answers kept."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from celery import shared_task

from campaigns import hosts, polling, questions, raw_answers, reporting
from campaigns.db import db
from campaigns.platforms.base import Answer, Ask
from campaigns.platforms.fetch import Manners, fetch, user_agent
from campaigns.questions import Question, Response
from config import Settings, settings

WIDTH = 64  # questions under way at once
ASK_SECONDS = 8.0  # one question, whole
TAKE_SECONDS = 10.0  # after this no new question is put, so that a tick ends within 20 s
LARGEST_ANSWER = 2 * 1024 * 1024

Clock = Callable[[], datetime]
SYSTEM: Clock = partial(datetime.now, UTC)


@shared_task(name="workers.poll.due_listings")
def due_listings() -> None:
    """Ask every listing that is due now. A second worker at the same time asks the others."""
    ask_due()


def ask_due(clock: Clock = SYSTEM) -> int:
    """Ask while anything is due and there is time; returns how many were, each outcome kept."""
    polling.mend(clock())
    db.session.commit()
    with ThreadPoolExecutor(WIDTH) as threads:
        return _Round(threads, clock).run()


class _Round:
    """One tick's questions: as some are answered, their outcomes are stored and others taken."""

    def __init__(self, threads: ThreadPoolExecutor, clock: Clock) -> None:
        given = settings()
        self._put = partial(questions.put, fetch=_fetch(given), origins=given.platform_origins)
        self._threads, self._clock = threads, clock
        self._under_way: dict[Future[Response], Question] = {}
        self._until = time.monotonic() + TAKE_SECONDS

    def run(self) -> int:
        asked = 0
        self._turn([])
        while self._under_way:
            done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            for future in done:
                del self._under_way[future]
            self._turn([future.result() for future in done])
            asked += len(done)
        return asked

    def _turn(self, responses: list[Response]) -> None:
        """Store what came, then take and put what is due instead."""
        if responses:
            _keep(responses, self._clock())
            db.session.commit()
        for question in self._taken():
            self._under_way[self._threads.submit(self._put, question)] = question

    def _taken(self) -> list[Question]:
        began = time.monotonic()
        if began > self._until:
            return []
        waited_for = [question.listing_id for question in self._under_way.values()]
        room = WIDTH - len(self._under_way)
        taken = polling.take_due(self._clock(), room, but=waited_for)
        db.session.commit()
        if time.monotonic() < began + hosts.LEASE.total_seconds() / 2:
            return taken
        # The database kept us waiting for so long that the leases would be over too soon.
        polling.release(taken, self._clock())
        db.session.commit()
        return []


def _keep(responses: list[Response], now: datetime) -> None:
    # Hosts first: whoever takes turns locks them before listings, too.
    hosts.end([response.outcome for response in responses], now)
    asked = polling.asked(responses)
    known = reporting.past([listing.id for listing, _ in asked])
    for listing, response in asked:
        if response.reading is not None:
            reporting.record(listing, response.reading, now, known[listing.id])
        elif response.error is None:
            reporting.reaffirm(listing, now)
    raw_answers.keep(asked, polling.settle(asked, now))


def _fetch(given: Settings) -> Callable[[Ask], Answer]:
    """The guarded fetch of promise P8; one set of manners, and so of connections, per tick."""
    manners = Manners(
        user_agent(given.base_url),
        allow_private=given.poll_allow_private,
        timeout=ASK_SECONDS,
        max_bytes=LARGEST_ANSWER,
    )
    return partial(fetch, manners=manners)
