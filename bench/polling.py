"""2,000 listings that take 100 ms each, from due to stored: ours against plainer ways.

`python -m bench.polling`. A real PostgreSQL that keeps what it confirms and platforms as a process
of their own (eight hosts, each to be asked eight times at once). What is counted is what they
answered; the table must agree, and no host may have had more at once than it allows.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import flask_migrate
import psutil
from sqlalchemy import func, select, update

from bench import _plain_polling as plain
from bench._plain_polling import Go, report
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.host import Host
from campaigns.model.listing import Listing
from campaigns.model.report import Report
from config import load
from tests import make, postgres
from tests.conftest import environment
from workers import poll

LISTINGS, DELAY, HOSTS = 2000, 0.1, 8
AT_ONCE = poll.WIDTH // HOSTS
AGO = timedelta(days=1)
FAST, SLOW, SLOWEST = 1, 10, 20  # of the listings each way asks one in so many


class Way(NamedTuple):
    """One way to ask: what enters it, one in how many listings it asks, and what it promises.

    Slow and steady ones tell their rate by some of the listings.
    """

    enter: Callable[[], AbstractContextManager[Go]]
    one_in: int = FAST
    stores: bool = True
    counts: bool = True


class Took(NamedTuple):
    """One run: seconds from due to stored, the asking processes' own, and their memory in MB."""

    seconds: float
    processor: float
    memory: float


@contextmanager
def _ours() -> Iterator[Go]:
    yield _ask_due


def _ask_due() -> None:
    """Tick after tick: on a machine that is busy otherwise one may not have time for all."""
    while poll.ask_due():
        pass


OURS = "ours, stored"
WAYS = {
    OURS: Way(_ours),
    "aiohttp, stored nowhere": Way(plain.by_asyncio, stores=False),
    "aiohttp, a commit each": Way(plain.by_asyncio_committing),
    "requests in 64 threads, stored nowhere": Way(plain.in_threads, stores=False, counts=False),
    "requests in 64 threads, a commit each": Way(plain.in_threads_committing, SLOW, counts=False),
    "a Celery task each, 64 threads": Way(
        partial(plain.by_celery, "threads", "-c", "64"), SLOW, counts=False
    ),
    "a Celery task each, prefork": Way(partial(plain.by_celery, "prefork"), SLOWEST, counts=False),
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--listings", type=int, default=LISTINGS)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as home, postgres.durable() as cluster, _platforms() as them:
        environ = environment(cluster.url, Path(home), POLL_ALLOW_PRIVATE=",".join(them.hosts))
        with create_app(load(environ)).app_context():
            flask_migrate.upgrade()
            _fill(them.hosts, given.listings)
            _measure(environ, them, given)


def _measure(environ: dict[str, str], them: "Platforms", given: argparse.Namespace) -> None:
    found: dict[str, list[Took]] = {name: [] for name in WAYS}
    for _ in range(given.rounds):
        for name in WAYS:
            took = _run(environ, them, name, given.listings // WAYS[name].one_in)
            found[name].append(took)
            print(f"  {name}: {took.seconds:.2f} s, {took.processor:.2f} of processor", flush=True)
    for name, runs in found.items():
        listings = given.listings // WAYS[name].one_in
        times = statistics.median(run.seconds for run in runs) / listings
        own = statistics.median(run.processor for run in runs) / listings * 1000
        memory = max(run.memory for run in runs)
        print(
            f"{name:40} {times / DELAY * poll.WIDTH:5.2f} × the limit {1 / times:5.0f}/s "
            f"{own:5.2f} ms of processor each {memory:4.0f} MB"
        )


def _run(environ: dict[str, str], them: "Platforms", name: str, listings: int) -> Took:
    """Everything is due, a process of its own asks; the platforms' account is checked.

    That process has asked some before, as workers have that are up.
    """
    _make_due(poll.WIDTH)
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(environ, name, there))
    worker.start()
    there.close()
    here.recv()
    before = _reports()
    them.counts()
    _make_due(listings)
    here.send("go")
    took: Took = here.recv()
    worker.join()
    counts = them.counts()
    asked, most = sum(some for some, _ in counts), max(most for _, most in counts)
    stored = _reports() - before
    if asked != listings or stored != (listings if WAYS[name].stores else 0):
        sys.exit(f"{name}: {asked} were asked and {stored} stored of {listings}.")
    if WAYS[name].counts and most > AT_ONCE:
        sys.exit(f"{name}: a host had {most} questions at once and allows {AT_ONCE}.")
    return took


def _work(environ: dict[str, str], name: str, parent: Any) -> None:
    os.environ.update(environ)
    with create_app(load()).app_context(), WAYS[name].enter() as go:
        go()
        parent.send("up")
        parent.recv()
        began, own = time.perf_counter(), _processor()
        go()
        took = time.perf_counter() - began, _processor() - own
        memory = sum(one.memory_info().rss for one in _family()) / 1024**2
    parent.send(Took(*took, memory))


def _family() -> list[psutil.Process]:
    """This process and those it started, such as Celery's."""
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def _processor() -> float:
    times = [one.cpu_times() for one in _family()]
    return float(sum(one.user + one.system for one in times))


class Platforms:
    """The process of `bench._slow_platforms`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.hosts = [f"127.0.0.1:{port}" for port in self._line()]

    def counts(self) -> list[tuple[int, int]]:
        """Of each host, how often it was asked since the last time, and how many times at once."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [(asked, most) for asked, most in self._line().values()]

    def _line(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def _platforms() -> Iterator[Platforms]:
    command = [sys.executable, "-m", "bench._slow_platforms", "--hosts", str(HOSTS)]
    with subprocess.Popen(
        [*command, "--delay-ms", str(DELAY * 1000)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield Platforms(process)
        finally:
            process.kill()


def _fill(hosts: list[str], number: int) -> None:
    """Listings that were asked before, as most have been, and hosts without a limit a minute."""
    now = datetime.now(UTC)
    campaign = make.campaign()
    db.session.add_all(Host(name=host, at_once=AT_ONCE, a_minute=1_000_000) for host in hosts)
    for place in range(number):
        host = hosts[place % HOSTS]
        url = f"http://{host}/{place}.json"
        db.session.add(
            Listing(
                campaign_id=campaign.id, platform="foundation", external_id=url, url=url,
                currency="CNY", host=host, created_at=now - AGO, next_poll_at=now + AGO,
            )
        )  # fmt: skip
    db.session.flush()
    db.session.add_all(report(one, 100, now - AGO) for one in db.session.scalars(select(Listing)))
    db.session.commit()


def _make_due(number: int) -> None:
    now = datetime.now(UTC)
    some = select(Listing.id).order_by(Listing.id).limit(number)
    db.session.execute(update(Listing).values(next_poll_at=now + AGO, jump_factor=None))
    db.session.execute(update(Listing).where(Listing.id.in_(some)).values(next_poll_at=now))
    db.session.commit()


def _reports() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Report)) or 0


if __name__ == "__main__":
    main()
