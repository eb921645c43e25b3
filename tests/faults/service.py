"""A whole service as `make run` starts it, with its relay, a partner's feed, and its database."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import redis
from flask import Flask
from sqlalchemy import select

from campaigns.app import create_app
from campaigns.db import db
from campaigns.local import children
from campaigns.mail.verp import delivery_behind
from campaigns.model.delivery import Delivery
from campaigns.model.listing import Listing
from campaigns.model.mailing import Mailing
from config import load, settings
from tests import make
from tests.conftest import empty_database, environment
from tests.faults.feed import Feed, feeding
from tests.faults.post import ROOT, mailing_due_now
from tests.local.running import Run, eventually, running
from tests.sink import Sink


class Service:
    """`app` is another on the same database; whoever uses what follows pushes its context."""

    def __init__(self, run: Run, sink: Sink, feed: Feed, app: Flask) -> None:
        self.run, self.sink, self.feed, self.app = run, sink, feed, app
        self.socket = run.instance / "redis/redis.sock"

    def redis(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def listing(self, name: str, period: int) -> Listing:
        """One that is due now and says something new every time it is asked."""
        address = self.feed.address(name)
        return make.listing(
            platform="foundation",
            external_id=address,
            url=address,
            period_seconds=period,
            next_poll_at=datetime.now(UTC),
        )

    def mailing(self, letters: int, *, until: int = 0) -> int:
        """One whose hour is now; returns when `until` of its letters have arrived."""
        mailing_id = mailing_due_now(letters)
        eventually(lambda: len(self.arrived(mailing_id)) >= until, what="some letters")
        return mailing_id

    def arrived(self, mailing_id: int) -> Counter[int]:
        """How often the relay took each delivery of the mailing, by the relay's own account."""
        ours = set(self.states(mailing_id))
        key = settings().address_pepper
        found = (delivery_behind(letter.sender, key) for letter in list(self.sink.letters))
        return Counter(delivery for delivery in found if delivery in ours)

    def states(self, mailing_id: int) -> dict[int, str]:
        db.session.rollback()
        rows = select(Delivery.id, Delivery.state).where(Delivery.mailing_id == mailing_id)
        found = {row.id: str(row.state) for row in db.session.execute(rows)}
        db.session.rollback()
        return found

    def sent(self, mailing_id: int) -> bool:
        db.session.rollback()
        state = db.session.scalar(select(Mailing.state).where(Mailing.id == mailing_id))
        db.session.rollback()
        return state == "sent"

    def assert_each_arrived_once(self, mailing_id: int, letters: int) -> None:
        """Lost 0, doubled 0, and nothing that nobody knows: the relay's account is the table."""
        eventually(lambda: self.sent(mailing_id), what="the mailing having been sent")
        states = self.states(mailing_id)
        assert Counter(states.values()) == {"sent": letters}
        assert self.arrived(mailing_id) == Counter(states.keys())

    @contextmanager
    def second_beat(self) -> Iterator[Path]:
        """Another beat on the same broker, that writes down what it rings for."""
        said = self.run.instance / "logs/beat-2.log"
        broker = f"redis+socket://{self.socket}"
        *command, _level = children.of_the_service(("127.0.0.1", 1))[-1].command
        with said.open("ab") as log:
            beat = subprocess.Popen(
                [*command, "INFO"],
                cwd=ROOT,
                env=self.run.environ | {"BROKER_URL": broker},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            eventually(lambda: b"Sending due task" in said.read_bytes(), what="the second beat")
            yield said
        finally:
            beat.kill()
            beat.wait()


@contextmanager
def serving(dialect: str, home: Path) -> Iterator[Service]:
    """A service whose relay is 20 ms away."""
    with Sink(delay=0.02) as sink, feeding() as feed, empty_database(dialect, home) as url:
        environ = environment(url, home, SMTP_URL=sink.url, POLL_ALLOW_PRIVATE=feed.host)
        with running(environ, "--no-demo") as run:
            app = create_app(load(environ))
            yield Service(run, sink, feed, app)
            with app.app_context():
                db.engine.dispose()
