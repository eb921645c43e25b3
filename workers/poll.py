"""Polling by the clock: due listings are taken, asked in threads, and their answers kept."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from celery import shared_task

from campaigns import calendars, hosts, polling, questions, raw_answers, reported, reporting
from campaigns.calendars import Calendar
from campaigns.db import db
from campaigns.platforms.base import Answer, Ask
from campaigns.platforms.fetch import Manners, fetch
from campaigns.questions import Question, Response
from config import Settings, settings

WIDTH = 64  # questions under way at once
ASK_SECONDS = 8.0  # one question, whole
KEEP_SECONDS = 0.1  # an answer waits so long, or until there are many, to be kept with others
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
    """One tick's questions: whenever some are answered others are put, and all that came is kept.

    First others are put, so that no platform waits for our database; then, in groups, since a
    group costs hardly more than one answer, what came is kept.
    """

    def __init__(self, threads: ThreadPoolExecutor, clock: Clock) -> None:
        given = settings()
        self._put = partial(questions.put, fetch=_fetch(given), origins=given.platform_origins)
        self._threads, self._clock = threads, clock
        self._under_way: dict[Future[Response], Question] = {}
        self._answered: list[Response] = []
        self._calendar = calendars.read(clock())
        self._until = time.monotonic() + TAKE_SECONDS

    def run(self) -> int:
        asked = 0
        self._put_more([])
        while self._under_way or self._answered:
            patience = KEEP_SECONDS if self._answered else None
            done, _ = wait(self._under_way, patience, return_when=FIRST_COMPLETED)
            for future in done:
                del self._under_way[future]
            responses = [future.result() for future in done]
            self._answered += responses
            if responses:
                self._put_more(responses)
            if not done or len(self._answered) >= WIDTH:
                self._keep()
            asked += len(done)
        return asked

    def _put_more(self, responses: list[Response]) -> None:
        """The turns of these are over; take and put what is due instead."""
        hosts.end([response.outcome for response in responses], self._clock())
        for question in self._taken():
            self._under_way[self._threads.submit(self._put, question)] = question

    def _keep(self) -> None:
        _keep(self._answered, self._clock(), self._calendar)
        db.session.commit()
        self._answered = []

    def _taken(self) -> list[Question]:
        """With the turns that ended in one transaction, since both lock hosts."""
        began = time.monotonic()
        if began > self._until:
            db.session.commit()
            return []
        waited_for = [question.listing_id for question in self._under_way.values()]
        waited_for += [response.question.listing_id for response in self._answered]
        room = WIDTH - len(self._under_way)
        taken = polling.take_due(self._clock(), room, but=waited_for, by=self._calendar)
        db.session.commit()
        if time.monotonic() < began + hosts.LEASE.total_seconds() / 2:
            return taken
        # The database kept us waiting for so long that the leases would be over too soon.
        polling.release(taken, self._clock())
        db.session.commit()
        return []


def _keep(responses: list[Response], now: datetime, by: Calendar) -> None:
    asked = polling.asked(responses)
    known = reported.past([listing.id for listing, _ in asked])
    for listing, response in asked:
        if response.reading is not None:
            reporting.record(listing, response.reading, now, known[listing.id])
        elif response.error is None:
            reporting.reaffirm(listing, now)
    reported.store()
    raw_answers.keep(asked, polling.settle(asked, now, by))


def _fetch(given: Settings) -> Callable[[Ask], Answer]:
    """The guarded fetch of promise P8; one set of manners, and so of connections, per tick."""
    manners = Manners.of(given, ASK_SECONDS, LARGEST_ANSWER)
    return partial(fetch, manners=manners)
