"""Signed donations a second: ours against the ORM version, one hot campaign against a hundred.

`python -m bench.webhook`. A real PostgreSQL that keeps what it confirms and a real Granian, side by
side in one run; only the ratios count. What is counted is what stands in the ledger afterwards.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import flask_migrate
import psutil
from sqlalchemy import func, select

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.listing import Rule
from campaigns.model.total import Total
from config import load
from tests import make, postgres
from tests.conftest import environment
from tests.partner import Partner, body, partner

CLIENTS = 32
CAMPAIGNS = 100
PORT = 18431
numbers = count(1)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=5)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as home, postgres.durable() as cluster:
        environ = environment(cluster.url, Path(home))
        with create_app(load(environ)).app_context():
            flask_migrate.upgrade()
            make.organisation()
            partners = [partner(make.listing(rule=Rule.ITEMISED)) for _ in range(CAMPAIGNS)]
            db.session.commit()
            _measure(partners, environ, given.seconds, given.rounds)


def _measure(partners: list[Partner], environ: dict[str, str], seconds: float, rounds: int) -> None:
    rates: dict[str, list[float]] = {}
    with _server("wsgi:app", PORT, environ), _server("bench._plain_webhook:app", PORT + 1, environ):
        for _ in range(rounds):
            for name, path, port, some in (
                ("ours, a hundred campaigns", "webhooks", PORT, partners),
                ("ours, one hot campaign", "webhooks", PORT, partners[:1]),
                ("ORM, a hundred campaigns", "plain", PORT + 1, partners),
                ("ORM, one hot campaign", "plain", PORT + 1, partners[:1]),
            ):
                rate = _run(path, port, some, seconds)
                rates.setdefault(name, []).append(rate)
                print(f"  {name}: {rate:,.0f}/s")
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ours, hot, orm, orm_hot = medians.values()
    for name, median in medians.items():
        print(f"{name:28} {median:8,.0f}/s")
    print(f"ours / ORM, a hundred campaigns  {ours / orm:5.2f}  (aim 3)")
    print(f"ours / ORM, one hot campaign     {hot / orm_hot:5.2f}  (aim 3)")
    print(f"one hot campaign / a hundred     {hot / ours:5.2f}  (aim 0.9)")


def _run(path: str, port: int, partners: list[Partner], seconds: float) -> float:
    """Booked donations a second, by what the ledger says."""
    posts = [_requests(path, port, partners, int(150 * seconds)) for _ in range(CLIENTS)]
    before = _booked()
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        acknowledged = sum(pool.map(lambda some: _client(port, some, began + seconds), posts))
    took = time.perf_counter() - began
    booked = _booked() - before
    if booked != acknowledged:
        sys.exit(f"{acknowledged} were acknowledged and {booked} booked.")
    _check_totals()
    return booked / took


def _requests(path: str, port: int, partners: list[Partner], most: int) -> list[bytes]:
    made = []
    for _ in range(most):
        number = next(numbers)
        one = partners[number % len(partners)]
        post = body(external_id=f"B-{number}", amount="10.50", at=datetime.now(UTC))
        lines = [
            f"POST /{path}/{one.name} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Content-Length: {len(post)}",
            *(f"{name}: {value}" for name, value in one.headers(post, f"evt-{number}").items()),
        ]
        made.append("\r\n".join(lines).encode() + b"\r\n\r\n" + post)
    return made


def _client(port: int, posts: list[bytes], until: float) -> int:
    """How many were acknowledged on one connection."""
    done = 0
    with closing(socket.create_connection(("127.0.0.1", port))) as wire:
        for post in posts:
            if time.perf_counter() > until:
                break
            wire.sendall(post)
            answer = _answer(wire)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
            done += 1
    return done


def _answer(wire: socket.socket) -> bytes:
    answer = wire.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += wire.recv(65536)
    head, _, content = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(content) < length:
        content += wire.recv(65536)
    return head


def _booked() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


def _check_totals() -> None:
    entries = db.session.scalar(select(func.sum(Entry.amount_minor)))
    totals = db.session.scalar(select(func.sum(Total.amount_minor)))
    if entries != totals:
        sys.exit(f"The entries sum to {entries}, the totals to {totals}.")


@contextmanager
def _server(app: str, port: int, environ: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", app]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    manner = ["--blocking-threads", "512", "--http", "1", "--no-ws", "--log-level", "warning"]
    server = subprocess.Popen(
        [*command, *where, *manner, "--no-access-log"], env=dict(os.environ) | environ
    )
    try:
        _wait(port)
        yield
    finally:
        _end(server.pid)


def _end(pid: int) -> None:
    """The server and its workers, which wait for connections that nobody closes."""
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


def _wait(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
