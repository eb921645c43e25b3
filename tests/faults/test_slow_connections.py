"""Fault row 13: hundreds who send slowly, in heads and in bodies, to the server of `make run`."""

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import flask_migrate
import pytest

import config
from campaigns.app import create_app
from campaigns.db import db
from campaigns.local import environment as local
from tests import make
from tests.browser.server import serving
from tests.conftest import empty_database, environment
from tests.faults.crowd import crowd

pytestmark = pytest.mark.stack
LONGEST_WAIT = 1.0
# The server bears with a head, and we with a body, for 30 s; we look every second.
CUT_AFTER, CUT_BEFORE = 28, 40


@dataclass(frozen=True)
class Web:
    port: int

    def seconds(self, method: str, path: str, body: bytes | None = None) -> float:
        """How long somebody else waits for an answer, the connection included."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status in (200, 404), f"{method} {path}: {answer.status}"
        return time.monotonic() - began

    def waits(self, number: int) -> list[float]:
        """Of a page that is kept, one that is asked of the database, and a post."""
        return [
            self.seconds("GET", "/c/desks"),
            self.seconds("GET", f"/c/none-{number}"),
            self.seconds("POST", "/webhooks/none", b"{}"),
        ]


@pytest.fixture
def web(dialect: str, tmp_path: Path) -> Iterator[Web]:
    with empty_database(dialect, tmp_path) as url:
        environ = environment(url, tmp_path)
        app = create_app(config.load(environ))
        with app.app_context():
            flask_migrate.upgrade()
            make.organisation()
            make.campaign("desks")
            db.engine.dispose()
        address = local.free_address()
        with serving(address, config.environment() | environ, tmp_path / "web.log"):
            yield Web(int(address.rpartition(":")[2]))


@pytest.mark.parametrize("number", [200, pytest.param(600, marks=pytest.mark.judge)])
def test_slow_senders_keep_nobody_waiting_and_are_cut(web: Web, number: int) -> None:
    web.waits(0)
    with crowd(web.port, number) as senders:
        waits: list[float] = []
        until = time.monotonic() + CUT_BEFORE + 10
        while any(sender.lasted is None for sender in senders) and time.monotonic() < until:
            waits += web.waits(len(waits))
            time.sleep(0.2)
    # Whom the crowd keeps waiting waits each time; a busy machine may stop for once.
    assert max(min(pair) for pair in pairwise(waits)) < LONGEST_WAIT
    wrong = [
        (sender.kind, sender.lasted)
        for sender in senders
        if not CUT_AFTER < (sender.lasted or 0) < CUT_BEFORE
    ]
    assert wrong == []
