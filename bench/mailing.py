"""A mailing from its hour to its last durable outcome, against a plain loop and other mailers.

`python -m bench.mailing`. A real PostgreSQL that keeps what it confirms and a relay as a process of
its own, the same for all. What is counted is what the relay took, and the table must agree. The
processor's time is that of whoever sends, without the database and the relay.
"""

import argparse
import multiprocessing
import resource
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path

import flask_migrate
from sqlalchemy import delete, func, select

from bench import _mailers
from campaigns.app import create_app
from campaigns.db import db
from campaigns.mail.relay import Relay
from campaigns.mail.smtp import SmtpTransport
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from config import load
from tests import postgres, sink
from tests.conftest import environment
from tests.faults.post import mailing_due_now
from workers import post
from workers.office import CONNECTIONS, Office

STORY = "Sixteen desks were carried up the stairs by those who will sit at them.\n\n" * 14


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--letters", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--delay-ms", type=float, default=0)
    asked.add_argument("--processes", type=int, default=1)
    asked.add_argument("--connections", type=int, default=CONNECTIONS, help="Of each process.")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as home, postgres.durable() as cluster:
        environ = environment(cluster.url, Path(home))
        with create_app(load(environ)).app_context():
            flask_migrate.upgrade()
        _measure(environ, Path(home), given)


def _measure(environ: dict[str, str], home: Path, given: argparse.Namespace) -> None:
    # The plain loop is slow and steady: a tenth of the letters tells its rate.
    plain_letters = max(given.letters // (100 if given.delay_ms else 10), 20)
    ways: dict[str, tuple[Callable[[str, int], None], int, int]] = {
        "ours": (partial(_ours, given.connections), given.letters, given.processes),
        "smtplib, a commit per letter": (_plain, plain_letters, 1),
    }
    for why in _mailers.missing():
        print(f"  not compared with {why}")
    queue = _mailers.prepared(environ["DATABASE_URL"])
    rates: dict[str, list[float]] = {}
    for number in range(given.rounds):
        for name, (way, letters, processes) in ways.items():
            account = home / f"{name}-{number}"
            _note(rates, name, _run(environ, account, way, letters, processes, given.delay_ms))
        for mailer in _mailers.here("", 0, "", queue):
            name, account = mailer.name, home / f"{mailer.name}-{number}"
            _note(rates, name, _other(name, account, given, queue))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    ours = middle["ours"]
    for name, rate in middle.items():
        print(f"{name:30} {rate:8,.0f}/s {ours / rate:8.2f}")
    if given.delay_ms:
        limit = given.processes * given.connections / (given.delay_ms / 1000)
        print(f"ours / connections per delay   {ours / limit:8.2f}  (aim 0.8)")


def _note(rates: dict[str, list[float]], name: str, measured: tuple[float, float]) -> None:
    rate, processor = measured
    rates.setdefault(name, []).append(rate)
    print(f"  {name}: {rate:,.0f}/s, {processor:.2f} ms of the processor each", flush=True)


def _other(name: str, account: Path, given: argparse.Namespace, queue: str) -> tuple[float, float]:
    """A mailer that keeps no account of its own for us: all that counts is what arrived."""
    letters = given.letters // 4
    with _relay(account, given.delay_ms) as url:
        [mailer] = [one for one in _mailers.here(url, letters, STORY, queue) if one.name == name]
        before = _spent()
        took = _mailers.seconds(mailer)
        processor = (_spent() - before) / letters * 1000
    arrived = len(sink.read(account))
    if arrived != letters:
        sys.exit(f"{name}: {letters} were to go, {arrived} arrived.")
    return letters / took, processor


def _spent() -> float:
    """Seconds of the processor that processes took which this one started and saw end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _relay(account: Path, delay: float) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.sink", "--dir", str(account), "--delay-ms", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as relay:
        try:
            assert relay.stdout
            yield relay.stdout.readline().decode().strip()
        finally:
            relay.kill()


def _run(
    environ: dict[str, str],
    account: Path,
    way: Callable[[str, int], None],
    letters: int,
    processes: int,
    delay: float,
) -> tuple[float, float]:
    """Letters a second from the mailing's hour to its end by the relay's account, and ms each."""
    with _relay(account, delay) as url, create_app(load(environ)).app_context():
        environ = environ | {"SMTP_URL": url}
        _prepare(letters)
        ready = multiprocessing.Barrier(processes + 1)
        workers = [
            multiprocessing.Process(target=_in_app, args=(environ, way, ready))
            for _ in range(processes)
        ]
        for worker in workers:
            worker.start()
        ready.wait(60)
        before, began = _spent(), time.perf_counter()
        post.due_mailings()
        ready.wait(60)
        for worker in workers:
            worker.join()
        post.due_mailings()
        took = time.perf_counter() - began
        _check(letters, account)
        return letters / took, (_spent() - before) / letters * 1000


def _in_app(environ: dict[str, str], way: Callable[[str, int], None], ready: Barrier) -> None:
    with create_app(load(environ)).app_context():
        ready.wait(60)
        ready.wait(60)
        mailing = db.session.scalars(select(Mailing).order_by(Mailing.id.desc())).first()
        assert mailing
        way(environ["SMTP_URL"], mailing.id)
        db.session.remove()
        db.engine.dispose()


def _ours(connections: int, url: str, mailing_id: int) -> None:
    db.session.rollback()
    office = Office(SmtpTransport(Relay.parse(url)), connections)
    while _left(mailing_id):
        office.work()


def _plain(url: str, mailing_id: int) -> None:
    """What one would write in an afternoon: read, build, send, commit, one after the other."""
    relay = Relay.parse(url)
    mailing = db.session.get_one(Mailing, mailing_id)
    text = mailing.texts[0]
    queued = Delivery.mailing_id == mailing_id
    with closing(smtplib.SMTP(relay.host, relay.port)) as wire:
        for delivery in db.session.scalars(select(Delivery).where(queued)).all():
            assert delivery.donor
            assert delivery.donor.address
            message = EmailMessage()
            message["From"], message["To"] = mailing.sender or "", delivery.donor.address
            message["Subject"] = text.subject
            message.set_content(text.body)
            message.add_alternative(f"<p>{text.body}</p>", subtype="html")
            wire.send_message(message)
            delivery.state = DeliveryState.SENT
            db.session.commit()


def _prepare(letters: int) -> None:
    db.session.rollback()
    db.session.execute(delete(Delivery).where(Delivery.state == DeliveryState.QUEUED))
    mailing_due_now(letters, body=STORY)


def _left(mailing_id: int) -> bool:
    open_ones = Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.QUEUED
    left = db.session.scalar(select(Delivery.id).where(*open_ones).limit(1))
    db.session.rollback()
    return left is not None


def _check(letters: int, account: Path) -> None:
    taken = {letter.to for letter in sink.read(account)}
    newest = select(func.max(Mailing.id)).scalar_subquery()
    sent = db.session.scalar(
        select(func.count(Delivery.id)).where(
            Delivery.mailing_id == newest, Delivery.state == DeliveryState.SENT
        )
    )
    if not len(taken) == sent == letters:
        sys.exit(f"{letters} were to go, {sent} are recorded, {len(taken)} arrived.")


if __name__ == "__main__":
    main()
