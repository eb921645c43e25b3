"""The post as real processes for fault tests: relay, broker, beat, and a worker to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
from flask import Flask

import config
from campaigns.app import create_app
from campaigns.crypto import address_hash
from campaigns.db import db
from campaigns.local import broker
from campaigns.mail.verp import delivery_behind
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.donor import Donor
from campaigns.model.update import UpdateText
from config import load, settings
from tests import make, sink
from tests.conftest import environment

ROOT = Path(__file__).resolve().parents[2]
CELERY = (sys.executable, "-m", "celery", "-A", "workers.main:celery")


class Post:
    """Everything that stays up while the worker is killed. `app` is on the same database."""

    def __init__(self, database_url: str, home: Path) -> None:
        self.database_url, self.home = database_url, home
        self.account = home / "account"
        self.environ: dict[str, str] = {}
        self.app: Flask
        # How far the relay's account was read, and how many letters stood there.
        self._counted = (0, 0)
        self._worker: subprocess.Popen[bytes] | None = None

    def start_worker(self) -> None:
        """A worker as the service runs it, except that one takes both queues of the post."""
        options = ("-Q", "post,tidy", "--pool", "threads", "--concurrency", "3", "-l", "WARNING")
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        self._worker = self._started("worker", *CELERY, "worker", *options, *alone)

    def kill_worker(self) -> None:
        """The whole tree, at once, without a word."""
        if self._worker is not None:
            os.killpg(self._worker.pid, signal.SIGKILL)
            self._worker.wait()
            self._worker = None

    def letters(self) -> int:
        """How many letters the relay has taken."""
        file = self.account / sink.FILE
        if file.exists():
            with file.open("rb") as account:
                account.seek(self._counted[0])
                octets = account.read()
            self._counted = (self._counted[0] + len(octets), self._counted[1] + octets.count(b"\n"))
        return self._counted[1]

    def taken(self) -> list[int]:
        """The relay's own account: the delivery of each letter that it took responsibility for."""
        with self.app.app_context():
            key = settings().address_pepper
        found = [delivery_behind(letter.sender, key) for letter in sink.read(self.account)]
        return [delivery for delivery in found if delivery is not None]

    @contextmanager
    def standing(self, *relay_options: str) -> Iterator["Post"]:
        with ExitStack() as stack:
            relay = self._started(
                "relay", sys.executable, "-m", "tests.sink", "--dir", str(self.account),
                *relay_options, pipe=True,
            )  # fmt: skip
            stack.callback(_end, relay)
            assert relay.stdout
            address = relay.stdout.readline().decode().strip()
            chosen = broker.choose(self.home, {"PATH": config.environment().get("PATH", "")})
            stack.callback(chosen.forget)
            self.environ = environment(
                self.database_url, self.home, SMTP_URL=address, **chosen.environ
            )
            if chosen.command:
                stack.callback(_end, self._started("redis", *chosen.command))
            self.app = create_app(load(self.environ))
            with self.app.app_context():
                flask_migrate.upgrade()
                stack.callback(self.app.extensions["sqlalchemy"].engines[None].dispose)
            beat = ("beat", "-S", "celery.beat:Scheduler", "--pidfile=", "-l", "WARNING")
            stack.callback(_end, self._started("beat", *CELERY, *beat))
            stack.callback(self.kill_worker)
            yield self

    def _started(self, name: str, *command: str, pipe: bool = False) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env={**config.environment(), **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else log,
                stderr=log,
                start_new_session=True,
            )


def mailing_due_now(followers: int, body: str = "Sixteen desks.") -> int:
    """An approved mailing whose hour is now, to so many new followers of a campaign; its id."""
    make.our_organisation()
    update = make.update(texts=[UpdateText(locale="en", title="Desks", body=body)])
    now = datetime.now(UTC)
    about = db.session.get_one(Campaign, update.campaign_id)
    donors = [_donor(f"donor-{update.id}-{number}@example.org") for number in range(followers)]
    db.session.add_all(donors)
    db.session.flush()
    db.session.add_all(_consent(donor, about) for donor in donors)
    mailing = make.mailing(update, state="scheduled", scheduled_at=now, started_at=None)
    found = mailing.id
    # Reading began a transaction, which on SQLite would keep everybody else from writing.
    db.session.rollback()
    return found


def _donor(address: str) -> Donor:
    digest = address_hash(settings().address_pepper, address)
    return Donor(
        address=address, address_hash=digest, name="Ada", locale="en", created_at=make.NOON
    )


def _consent(of: Donor, to: Campaign) -> Consent:
    return Consent(
        donor_id=of.id,
        purpose=Purpose.UPDATES,
        campaign_id=to.id,
        given=True,
        at=make.NOON,
        source=ConsentSource.FORM,
        wording="1",
        locale="en",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
