"""Fault row 7: PostgreSQL's log has no room, so the whole server breaks down and stays away."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import imports
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.imported import Import, ImportState
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice
from tests import bill, postgres
from tests.bill import Paid
from tests.books import totals_agree
from tests.conftest import migrated
from tests.faults.small_disk import MB, NoWorld, SmallDisk, small_disk
from tests.make import NOON
from tests.partner import body, partner
from tests.postgres import Cluster
from workers.imports import work_on

ROWS = 4000


@pytest.fixture
def log(dialect: str) -> Iterator[SmallDisk]:
    if dialect != "postgresql":
        pytest.skip("SQLite has no server that could break down")
    with ExitStack() as stack:
        try:
            yield stack.enter_context(small_disk(user=postgres.USER))
        except NoWorld as error:
            pytest.skip(f"this machine lets nobody mount a disk of their own: {error}")


@pytest.fixture
def cluster(log: SmallDisk) -> Iterator[Cluster]:
    """A server that keeps all of its log, as one does whose archive or standby is away."""
    with postgres.durable(log=log.path / "wal", wal_keep_size="1GB") as server:
        yield server


@pytest.fixture
def app(cluster: Cluster, tmp_path: Path) -> Iterator[Flask]:
    with migrated(cluster.url, tmp_path) as app, app.app_context():
        yield app
        db.session.remove()


def entries() -> int:
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


def test_an_import_goes_on_and_no_notice_is_lost_once_the_server_is_back(
    app: Flask, listing: Listing, log: SmallDisk, cluster: Cluster
) -> None:
    one = bill.read(bill.bill(Paid(number) for number in range(ROWS)), listing)
    import_id, lianquan, post = one.id, partner(listing), body(amount="20.00")
    imports.commit(one, NOON, None)
    db.session.commit()
    client = app.test_client()
    with log.full(room=MB):
        work_on(import_id, time.monotonic() + 60)
        for answer in (lianquan.post(client, post, "evt"), client.get("/")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "PANIC:  could not write to file" in (cluster.home / "log").read_text()
    cluster.recover()
    one = db.session.get_one(Import, import_id, populate_existing=True)
    assert (one.state, one.position < ROWS) == (ImportState.COMMITTING, True)
    assert (entries(), bill.raised(listing)) == (one.position, 0)
    assert [lianquan.post(client, post, "evt").status_code for _ in range(2)] == [200, 200]
    work_on(import_id)
    assert one.state is ImportState.COMMITTED
    assert (entries(), bill.raised(listing), totals_agree()) == (ROWS + 1, ROWS * 1050 + 2000, True)
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1
