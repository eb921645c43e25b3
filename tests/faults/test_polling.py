"""Polling while its workers are killed with -9, and beside a host that takes half a minute."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.host import Host
from campaigns.model.listing import Listing
from config import load
from tests import make
from tests.conftest import empty_database, environment
from workers import poll

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
PERIOD, LEASE, KILLS = 10, 8, 6
# How late a worker of a machine with other work may be, beyond what is promised.
SLACK = 8
# Starts a worker for each line it reads, and says its number: forked, each is up at once.
WORKERS = f"""
import os, signal, sys, time
from datetime import timedelta
from campaigns import hosts, polling
from campaigns.app import create_app
from config import load
from workers import poll
# A shorter lease, and questions that are shorter still, so that the test is shorter too.
hosts.LEASE = polling.LEASE = timedelta(seconds={LEASE})
poll.ASK_SECONDS = {LEASE} / 4
app = create_app(load())
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("up", flush=True)
for _ in sys.stdin:
    if worker := os.fork():
        print(worker, flush=True)
        continue
    with app.app_context():
        while True:
            poll.ask_due()
            time.sleep(0.2)
"""


class Feeds(ThreadingHTTPServer):
    """Partners on every address of loopback; `asked` has when each path was, by host and path.

    `doubled` are those that were asked again before they had answered, and `most` has the most
    questions that each host had at once.
    """

    daemon_threads = True
    request_queue_size = 200

    def __init__(self, delay: float) -> None:
        super().__init__(("", 0), _Answers)
        self.delay = delay
        self.slow: set[str] = set()
        self.asked: dict[str, list[float]] = {}
        self.doubled: list[str] = []
        self.most: dict[str, int] = {}
        self._under_way: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, host: str, path: str) -> None:
        with self._lock:
            self.asked.setdefault(host + path, []).append(time.monotonic())
            if self._under_way.get(host + path):
                self.doubled.append(host + path)
            for name in (host, host + path):
                self._under_way[name] = self._under_way.get(name, 0) + 1
            self.most[host] = max(self.most.get(host, 0), self._under_way[host])

    def end(self, host: str, path: str) -> None:
        with self._lock:
            for name in (host, host + path):
                self._under_way[name] -= 1

    def longest_wait(self, since: float, until: float) -> float:
        """The longest that any listing was left alone."""
        return max(
            after - before
            for times in self.asked.values()
            for before, after in pairwise([since, *times, until])
        )


class _Answers(BaseHTTPRequestHandler):
    server: Feeds

    def do_GET(self) -> None:
        host = self.headers["Host"]
        self.server.begin(host, self.path)
        time.sleep(30 if host in self.server.slow else self.server.delay)
        self.server.end(host, self.path)
        as_of = datetime.now(UTC).isoformat(timespec="seconds")
        raised = f"{1000 + len(self.server.asked[host + self.path])}.00"
        body = json.dumps({"currency": "CNY", "raised": raised, "as_of": as_of}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # whoever asked was killed


@contextmanager
def feeding(delay: float) -> Iterator[Feeds]:
    with Feeds(delay) as feeds:
        threading.Thread(target=feeds.serve_forever, args=(0.05,), daemon=True).start()
        yield feeds
        feeds.shutdown()


@contextmanager
def installed(dialect: str, home: Path, feeds: Feeds, hosts: list[str]) -> Iterator[dict[str, str]]:
    """A database of its own, and an environment that lets these hosts be asked."""
    names = [f"{host}:{feeds.server_port}" for host in hosts]
    with empty_database(dialect, home) as url:
        environ = environment(url, home, POLL_ALLOW_PRIVATE=",".join(names))
        app: Flask = create_app(load(environ))
        with app.app_context():
            flask_migrate.upgrade()
            yield environ
            db.session.remove()
            db.engine.dispose()


def listing(host: str, number: int = 0) -> Listing:
    address = f"http://{host}/{number}.json"
    return make.listing(
        platform="foundation",
        external_id=address,
        url=address,
        host=host,
        period_seconds=PERIOD,
        next_poll_at=datetime.now(UTC),
    )


def test_killed_again_and_again_it_leaves_no_listing_alone_and_asks_none_twice(
    dialect: str, tmp_path: Path
) -> None:
    with (
        feeding(0.5) as feeds,
        installed(dialect, tmp_path, feeds, ["127.0.0.1"]) as environ,
    ):
        name = f"127.0.0.1:{feeds.server_port}"
        for number in range(24):
            listing(name, number)
        db.session.rollback()
        began = time.monotonic()
        with _two_workers(environ) as kill_one:
            began = time.monotonic()
            chance = random.Random(9)
            for _ in range(KILLS):
                time.sleep(chance.uniform(1, 3))
                kill_one()
            time.sleep(PERIOD)
            until = time.monotonic()
        assert len(feeds.asked) == 24
        assert feeds.doubled == []
        assert feeds.most[name] <= 8
        assert feeds.longest_wait(began, until) < LEASE + PERIOD * 1.1 + SLACK


@contextmanager
def _two_workers(environ: dict[str, str]) -> Iterator["Killing"]:
    killing = Killing(environ)
    try:
        yield killing
    finally:
        killing.stop()


class Killing:
    """Two workers; called, it kills the older with -9 and starts another instead."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._starter = subprocess.Popen(
            [sys.executable, "-c", WORKERS],
            env=dict(os.environ) | environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._said() == "up"
        self._workers = [self._started(), self._started()]

    def __call__(self) -> None:
        os.kill(self._workers.pop(0), signal.SIGKILL)
        self._workers.append(self._started())

    def stop(self) -> None:
        for worker in self._workers:
            os.kill(worker, signal.SIGKILL)
        self._starter.communicate()

    def _started(self) -> int:
        assert self._starter.stdin
        self._starter.stdin.write("\n")
        self._starter.stdin.flush()
        return int(self._said())

    def _said(self) -> str:
        assert self._starter.stdout
        return self._starter.stdout.readline().strip()


def test_a_host_that_takes_half_a_minute_delays_the_others_by_less_than_a_period(
    dialect: str, tmp_path: Path
) -> None:
    addresses = [f"127.0.1.{number}" for number in range(1, 101)]
    with feeding(0.02) as feeds, installed(dialect, tmp_path, feeds, addresses):
        hosts = [f"{address}:{feeds.server_port}" for address in addresses]
        for host in hosts:
            listing(host)
        slow, *others = hosts
        for number in range(1, 6):
            listing(slow, number)
        feeds.slow.add(slow)
        began = time.monotonic()
        while time.monotonic() < began + 2 * PERIOD + SLACK:
            poll.due_listings()
            time.sleep(0.5)
        until = time.monotonic()
        assert feeds.most[slow] <= 8
        for path in [path for path in feeds.asked if path.startswith(slow)]:
            del feeds.asked[path]
        assert len(feeds.asked) == len(others)
        assert feeds.longest_wait(began, until) < 2 * PERIOD + SLACK / 2
        assert db.session.scalars(select(Host.failures).where(Host.name == slow)).one() > 0
