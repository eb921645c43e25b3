"""2,000 listings that take 100 ms each, from due to stored: ours against plainer ways.

`python -m bench.polling`. A real PostgreSQL that keeps what it confirms and platforms as a process
of their own (eight hosts, each to be asked eight times at once). What is counted is what they
answered; the table must agree, and no host may have had more at once than it allows.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import flask_migrate
import requests
from sqlalchemy import func, select, update

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
_kept = threading.local()


class Took(NamedTuple):
    """One run: seconds from due to stored, the asking process's own, and its memory in MB."""

    seconds: float
    processor: float
    memory: float


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
    limit = given.listings * DELAY / poll.WIDTH
    ways: dict[str, tuple[Callable[[], None], int]] = {
        "ours, stored": (_ours, given.listings),
        "requests in 64 threads, stored nowhere": (_threads, given.listings),
        # Slow and steady: a tenth of them tells its rate.
        "requests in 64 threads, a commit each": (_committing, given.listings // 10),
    }
    found: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, (way, listings) in ways.items():
            took = _run(environ, them, way, listings)
            part = limit * listings / given.listings
            found[name].append(took._replace(seconds=took.seconds / part))
            print(f"  {name}: {took.seconds:.2f} s, {took.processor:.2f} of processor", flush=True)
    for name, runs in found.items():
        times = statistics.median(run.seconds for run in runs)
        own = statistics.median(run.processor for run in runs) * 1000 / ways[name][1]
        memory = max(run.memory for run in runs)
        print(
            f"{name:40} {times:5.2f} × the limit {own:5.2f} ms of processor each {memory:4.0f} MB"
        )


def _run(
    environ: dict[str, str], them: "Platforms", way: Callable[[], None], listings: int
) -> Took:
    """Everything is due, `way` asks in a process of its own; the platforms' account is checked."""
    before = _reports()
    _make_due(listings)
    them.counts()
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(environ, way, there))
    worker.start()
    there.close()
    took: Took = here.recv()
    worker.join()
    counts = them.counts()
    asked, most = sum(some for some, _ in counts), max(most for _, most in counts)
    stored = _reports() - before
    if asked != listings or (way is not _threads and stored != listings):
        sys.exit(f"{asked} were asked and {stored} stored of {listings}.")
    if way is _ours and most > AT_ONCE:
        sys.exit(f"A host had {most} questions at once and allows {AT_ONCE}.")
    return took


def _work(environ: dict[str, str], way: Callable[[], None], out: Any) -> None:
    with create_app(load(environ)).app_context():
        _reports()  # the way is up, and connected, before the clock starts
        began, own = time.perf_counter(), time.process_time()
        way()
        took = time.perf_counter() - began, time.process_time() - own
    status = Path("/proc/self/status").read_text(encoding="ascii")
    out.send(Took(*took, int(status.partition("VmHWM:")[2].split()[0]) / 1024))


def _ours() -> None:
    """Tick after tick: on a machine that is busy otherwise one may not have time for all."""
    while poll.ask_due():
        pass


def _threads() -> None:
    with ThreadPoolExecutor(poll.WIDTH) as threads:
        list(threads.map(_asked, _due()))


def _committing() -> None:
    """The plainest version that keeps anything: an object and a commit for each answer."""
    with ThreadPoolExecutor(poll.WIDTH) as threads:
        for listing, raised in threads.map(_asked, _due()):
            one = db.session.get_one(Listing, listing)
            db.session.add(_report(one, raised, datetime.now(UTC)))
            one.next_poll_at = datetime.now(UTC) + timedelta(seconds=one.period_seconds)
            db.session.commit()


def _due() -> list[tuple[int, str]]:
    due = select(Listing.id, Listing.url).where(Listing.next_poll_at <= datetime.now(UTC))
    return [(id, url) for id, url in db.session.execute(due)]


def _asked(listing: tuple[int, str]) -> tuple[int, int]:
    if not hasattr(_kept, "session"):
        _kept.session = requests.Session()
    answer = _kept.session.get(listing[1], timeout=10).json()
    return listing[0], int(answer["raised"].replace(".", ""))


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
    db.session.add_all(_report(one, 100, now - AGO) for one in db.session.scalars(select(Listing)))
    db.session.commit()


def _report(of: Listing, raised: int, moment: datetime) -> Report:
    return Report(
        listing_id=of.id, moment=moment, received_at=moment, raised_minor=raised,
        currency="CNY", state="accepted",
    )  # fmt: skip


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
