"""When the database is away or dies, no notice is acknowledged and nothing is half booked."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.listing import Rule
from campaigns.model.notice import Notice
from config import load
from tests import make, postgres
from tests.books import totals_agree
from tests.conftest import environment
from tests.partner import body, partner
from tests.postgres import Cluster


@pytest.fixture
def cluster(dialect: str) -> Iterator[Cluster]:
    if dialect != "postgresql":
        pytest.skip("a server to kill is PostgreSQL's")
    with postgres.durable() as server:
        yield server


@pytest.fixture
def fragile(cluster: Cluster, tmp_path: Path) -> Iterator[Flask]:
    """The app on a server of its own."""
    app = create_app(load(environment(cluster.url, tmp_path)))
    with app.app_context():
        flask_migrate.upgrade()
        yield app
        db.session.remove()
        db.engine.dispose()


def count(noun: type[Entry] | type[Notice]) -> int:
    return db.session.scalar(select(func.count()).select_from(noun)) or 0


def test_a_killed_server_acknowledges_nothing_and_loses_nothing(
    fragile: Flask, cluster: Cluster
) -> None:
    lianquan = partner(make.listing(rule=Rule.ITEMISED))
    post, client = body(), fragile.test_client()
    cluster.kill()
    for _ in range(2):
        answer = lianquan.post(client, post, "evt")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    cluster.start()
    assert [lianquan.post(client, post, "evt").status_code for _ in range(2)] == [200, 200]
    assert (count(Entry), count(Notice)) == (1, 1)


def test_what_was_acknowledged_while_the_server_died_is_in_the_ledger(
    fragile: Flask, cluster: Cluster
) -> None:
    lianquan = partner(make.listing(rule=Rule.ITEMISED))
    over, warm = Event(), Event()

    def send(sender: int) -> dict[str, int]:
        answers: dict[str, int] = {}
        while not over.is_set() and len(answers) < 2000:
            number = f"{sender}-{len(answers)}"
            with fragile.app_context():
                post = body(external_id=number)
                answers[number] = lianquan.post(fragile.test_client(), post, number).status_code
            if len(answers) == 10:
                warm.set()
        return answers

    db.session.commit()
    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send, sender) for sender in range(4)]
        warm.wait(30)
        cluster.kill()
        over.set()
        answers = dict(pair for sender in senders for pair in sender.result().items())
    cluster.start()
    db.session.rollback()
    kept = set(db.session.scalars(select(EntryKey.value)))
    taken = {number for number, status in answers.items() if status == 200}
    assert taken
    assert set(answers.values()) <= {200, 503}
    assert taken <= kept
    assert totals_agree()
