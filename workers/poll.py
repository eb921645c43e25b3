"""Polling by the clock: due listings are taken, asked in threads, and their answers kept."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from celery import shared_task

from campaigns import polling, reporting
from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.platforms.base import Answer, Ask
from campaigns.platforms.fetch import Manners, fetch, user_agent
from campaigns.polling import Question, Response
from config import Settings, settings

WIDTH = 64  # questions under way at once
PER_HOST = 8  # of them to one host
ASK_SECONDS = 8.0  # one question, whole
TAKE_SECONDS = 10.0  # after this no new question is put, so that a tick ends within 20 s
LARGEST_ANSWER = 2 * 1024 * 1024


@shared_task(name="workers.poll.due_listings")
def due_listings() -> None:
    """Ask every listing that is due now. A second worker at the same time asks the others."""
    ask_all(polling.take_due(datetime.now(UTC), WIDTH))


def ask_all(questions: list[Question]) -> int:
    """Ask what was taken; returns how many were answered or failed, all of them kept."""
    db.session.commit()
    asked = 0
    for responses in _rounds(questions):
        for response in responses:
            _keep(response, datetime.now(UTC))
        db.session.commit()
        asked += len(responses)
    return asked


def _keep(response: Response, now: datetime) -> None:
    listing = db.session.get(Listing, response.question.listing_id)
    if listing is None:
        return
    if response.reading is not None:
        reporting.record(listing, response.reading, now)
    elif response.error is None:
        reporting.reaffirm(listing, now)
    polling.settle(listing, response, now)


def _rounds(questions: list[Question]) -> Iterator[list[Response]]:
    """Put the questions, never too many to one host, and give back answers as they come."""
    given = settings()
    put = partial(polling.put, fetch=_fetch(given), origins=given.platform_origins)
    waiting = {question: polling.host(question, given.platform_origins) for question in questions}
    under_way: dict[Future[Response], str] = {}
    until = time.monotonic() + TAKE_SECONDS
    with ThreadPoolExecutor(WIDTH) as threads:
        while waiting or under_way:
            if time.monotonic() > until:
                polling.release(waiting, datetime.now(UTC))
                waiting.clear()
            for question in _next(waiting, under_way):
                under_way[threads.submit(put, question)] = waiting.pop(question)
            done, _ = wait(under_way, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                del under_way[future]
            yield [future.result() for future in done]


def _next(waiting: dict[Question, str], under_way: dict[Future[Response], str]) -> list[Question]:
    """Which questions may be put now."""
    busy = Counter(under_way.values())
    chosen: list[Question] = []
    for question, host in waiting.items():
        if len(under_way) + len(chosen) >= WIDTH:
            break
        if busy[host] < PER_HOST:
            busy[host] += 1
            chosen.append(question)
    return chosen


def _fetch(given: Settings) -> Callable[[Ask], Answer]:
    """The guarded fetch of promise P8; one set of manners, and so of connections, per tick."""
    manners = Manners(
        user_agent(given.base_url),
        allow_private=given.poll_allow_private,
        timeout=ASK_SECONDS,
        max_bytes=LARGEST_ANSWER,
    )
    return partial(fetch, manners=manners)
