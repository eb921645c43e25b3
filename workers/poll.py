"""Polling by the clock: due listings are taken, asked in threads, and their answers kept."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from celery import shared_task

from campaigns import almanac, hosts, polling, questions, raw_answers, reported, reporting
from campaigns.almanac import Almanac
from campaigns.db import db
from campaigns.platforms.base import Answer, Ask
from campaigns.platforms.fetch import Manners, fetch
from campaigns.questions import Question, Response
from config import Settings, settings
from workers.askers import Askers, Came

WIDTH = 64  # questions under way at once
GROUP = WIDTH // 2  # answers to wait for where there is time
ASK_SECONDS = 8.0  # one question, whole: at most a quarter of a lease, since one may follow another
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
    given = settings()
    put = partial(questions.put, fetch=_fetch(given), origins=given.platform_origins)
    with Askers(WIDTH, put) as askers:
        return _Round(askers, clock).run()


class _Round:
    """One tick's questions: whenever some are answered others are put, and all that came is kept.

    First others are put, so that no platform waits for our database; then, in groups, since a
    group costs hardly more than one answer, what came is kept.
    """

    def __init__(self, askers: Askers, clock: Clock) -> None:
        self._askers, self._clock = askers, clock
        self._answered: list[Response] = []
        self._almanac = almanac.read(clock())
        self._until = time.monotonic() + TAKE_SECONDS

    def run(self) -> int:
        asked = 0
        self._put_more(Came([], [], []))
        while self._askers.under_way or self._answered:
            came = self._came()
            self._answered += came.responses
            if came.responses or came.left:
                self._put_more(came)
            if not came.responses or len(self._answered) >= WIDTH:
                self._keep()
            asked += len(came.responses)
        return asked

    def _came(self) -> Came:
        """One response is news; many, where nobody waits for us since there is something ahead."""
        ahead = self._askers.ahead
        patience = KEEP_SECONDS if ahead or self._answered else None
        return self._askers.came(patience, GROUP if ahead else 1)

    def _put_more(self, came: Came) -> None:
        """The turns of these are over; take and put what is due instead."""
        begun = [question.turn_id for question in came.begun]
        hosts.end([response.outcome for response in came.responses], self._clock(), begun)
        self._askers.begin(self._taken())
        if came.left:
            self._release(came.left)

    def _keep(self) -> None:
        _keep(self._answered, self._clock(), self._almanac)
        db.session.commit()
        self._answered = []

    def _taken(self) -> list[Question]:
        """With the turns that ended in one transaction, since both lock hosts."""
        began = time.monotonic()
        if began > self._until:
            db.session.commit()
            return []
        waited_for = self._askers.held
        waited_for += [response.question.listing_id for response in self._answered]
        room, spare = WIDTH - self._askers.under_way, self._askers.spare
        taken = polling.take_due(self._clock(), room, but=waited_for, by=self._almanac, spare=spare)
        db.session.commit()
        good_until = began + hosts.LEASE.total_seconds() / 2
        if time.monotonic() < good_until:
            self._askers.until = min(good_until, self._until)
            return taken
        # The database kept us waiting for so long that the leases would be over too soon.
        self._release(taken)
        return []

    def _release(self, questions: list[Question]) -> None:
        polling.release(questions, self._clock())
        db.session.commit()


def _keep(responses: list[Response], now: datetime, by: Almanac) -> None:
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
