"""What people would write instead of our polling: threads, one asyncio program, tasks of Celery.

Each way is a context: what it needs is up when it is entered, and calling what it gives asks every
listing that is due, once.
"""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import aiohttp
import psycopg
import requests
from celery import Celery
from sqlalchemy import func, select

from campaigns.db import db
from campaigns.local import broker
from campaigns.model.listing import Listing
from campaigns.model.report import Report
from config import environment, settings

WIDTH, A_HOST, CONNECTIONS = 64, 8, 4
TASK = "ask"
LONGEST = 600.0  # seconds that Celery may take
Due = list[tuple[int, str]]
Go = Callable[[], None]
Keep = Callable[[int, int], Awaitable[None]]
_kept = threading.local()
_KEEP = """
    WITH kept AS (
        INSERT INTO reports (listing_id, moment, received_at, raised, currency, origin, state)
        VALUES (%(id)s, now(), now(), %(raised)s, 'CNY', 'asked', 'accepted')
    )
    UPDATE listings SET next_poll_at = now() + period_seconds * interval '1 second'
    WHERE id = %(id)s
"""


@contextmanager
def in_threads() -> Iterator[Go]:
    """`requests`, a session a thread. Nothing is stored."""
    yield lambda: _in_threads(lambda listing, raised: None)


@contextmanager
def in_threads_committing() -> Iterator[Go]:
    """The same, an object and a commit for each answer, one after the other."""
    yield lambda: _in_threads(keep)


@contextmanager
def by_asyncio() -> Iterator[Go]:
    """aiohttp, as many at once of each host as ours. Nothing is stored."""
    yield lambda: asyncio.run(_ask_all(_due(), _forget))


@contextmanager
def by_asyncio_committing() -> Iterator[Go]:
    """The same, with a statement and a commit for each answer over a few connections."""
    yield lambda: asyncio.run(_ask_and_commit(_due()))


@contextmanager
def by_celery(pool: str, *width: str) -> Iterator[Go]:
    """A task per listing on a Redis of its own: requests, an object, a commit."""
    chosen = broker.choose(settings().instance_dir, {"PATH": os.defpath})
    environ = environment() | {"DATABASE_URL": settings().database_url} | dict(chosen.environ)
    app = Celery("bench", broker=chosen.environ["BROKER_URL"], task_ignore_result=True)
    worker = [sys.executable, "-m", "celery", "-A", "bench._celery_polling", "worker"]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(chosen.command, stdout=quiet) if chosen.command else None
    try:
        while not chosen.answers():
            time.sleep(0.05)
        worker += ["-P", pool, *width, "-l", "ERROR"]
        with subprocess.Popen(worker, env=environ, stdout=quiet) as process:
            while not app.control.ping(timeout=0.5):
                time.sleep(0.1)
            yield partial(_by_celery, app)
            process.terminate()
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        chosen.forget()


def keep(listing: int, raised: int) -> None:
    """An object and a commit: the plainest way to keep an answer."""
    one, now = db.session.get_one(Listing, listing), datetime.now(UTC)
    db.session.add(report(one, raised, now))
    one.next_poll_at = now + timedelta(seconds=one.period_seconds)
    db.session.commit()


def report(of: Listing, raised: int, moment: datetime) -> Report:
    return Report(
        listing_id=of.id, moment=moment, received_at=moment, raised_minor=raised,
        currency="CNY", state="accepted",
    )  # fmt: skip


def _in_threads(keep: Callable[[int, int], None]) -> None:
    with ThreadPoolExecutor(WIDTH) as threads:
        for listing, raised in threads.map(_asked, _due()):
            keep(listing, raised)


def _asked(due: tuple[int, str]) -> tuple[int, int]:
    if not hasattr(_kept, "session"):
        _kept.session = requests.Session()
    answer = _kept.session.get(due[1], timeout=10).json()
    return due[0], int(answer["raised"].replace(".", ""))


async def _ask_all(due: Due, keep: Keep) -> None:
    # Not `limit_per_host`, which leaves places empty: with it aiohttp takes half as long again.
    rooms: dict[str, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, A_HOST))
    no_limit = aiohttp.TCPConnector(limit=0)
    patience = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=no_limit, timeout=patience) as session:

        async def ask(listing: int, url: str) -> None:
            async with rooms[urlsplit(url).netloc], session.get(url) as answer:
                said = await answer.json()
            await keep(listing, int(said["raised"].replace(".", "")))

        await asyncio.gather(*(ask(*one) for one in due))


async def _forget(listing: int, raised: int) -> None:
    """Keep nothing."""


async def _ask_and_commit(due: Due) -> None:
    address = settings().database_url.replace("+psycopg", "")
    async with AsyncExitStack() as stack:
        free: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
            free.put_nowait(await stack.enter_async_context(connection))

        async def keep(listing: int, raised: int) -> None:
            connection = await free.get()
            await connection.execute(_KEEP, {"id": listing, "raised": raised})
            free.put_nowait(connection)

        await _ask_all(due, keep)


def _by_celery(app: Celery) -> None:
    """Done when the last report is there."""
    due, before, until = _due(), _reports(), time.monotonic() + LONGEST
    for listing, url in due:
        app.send_task(TASK, (listing, url))
    while _reports() < before + len(due) and time.monotonic() < until:
        time.sleep(0.05)


def _due() -> Due:
    due = select(Listing.id, Listing.url).where(Listing.next_poll_at <= datetime.now(UTC))
    return [(id, url) for id, url in db.session.execute(due)]


def _reports() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Report)) or 0
