"""Fault rows 7 and 8 for imports: a worker killed with -9, and a database that somebody holds."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import func, select

from campaigns import figures, imports
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.imported import Import, ImportRow, ImportState
from campaigns.model.listing import Listing, Rule
from campaigns.money import Money
from config import load
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.conftest import empty_database, environment
from tests.make import NOON
from workers.imports import work_on

pytestmark = pytest.mark.stack
ROWS = 6000
WORKER = """
import sys, time
from campaigns.app import create_app
from campaigns.batches import Pace
from config import load
from workers import imports
Pace.most = 200  # Small batches and long breaths, so that a kill falls between and into them.
imports.BREATH = 0.05
with create_app(load()).app_context():
    print("up", flush=True)
    imports.work_on(int(sys.argv[1]))
"""


@pytest.fixture
def environ(dialect: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    with empty_database(dialect, tmp_path) as url:
        environ = environment(url, tmp_path)
        with create_app(load(environ)).app_context():
            flask_migrate.upgrade()
            make.organisation()
            make.listing(rule=Rule.ITEMISED)
            yield environ
            db.session.remove()
            db.engine.dispose()


# A dozen workers, each of which loads the whole service first.
@pytest.mark.timeout(400)
def test_killed_again_and_again_it_stages_books_and_undoes_once(environ: dict[str, str]) -> None:
    listing = db.session.scalars(select(Listing)).one()
    one = bill.add(bill.bill(Paid(number) for number in range(ROWS)), listing)
    kills = _storm(one.id, environ)
    assert _state(one.id) == (ImportState.REVIEW, ROWS)
    assert _count(ImportRow) == ROWS
    imports.commit(db.session.get_one(Import, one.id), NOON, None)
    db.session.commit()
    kills += _storm(one.id, environ)
    assert _state(one.id)[0] is ImportState.COMMITTED
    assert (_count(Entry), _count(EntryKey)) == (ROWS, 3 * ROWS)
    assert figures.published(listing) == listing_sum(listing, ROWS * 1050)
    imports.undo(db.session.get_one(Import, one.id), "a trial", NOON, make.staff())
    db.session.commit()
    kills += _storm(one.id, environ)
    assert _state(one.id)[0] is ImportState.UNDONE
    assert (_count(Entry), _count(EntryKey)) == (2 * ROWS, 0)
    assert figures.published(listing) == listing_sum(listing, 0)
    assert totals_agree()
    assert kills >= 3


def listing_sum(listing: Listing, minor: int) -> Money:
    return Money(minor, listing.currency)


def _storm(import_id: int, environ: dict[str, str]) -> int:
    """Kill the worker while it works, a little later each time, until it is done."""
    kills, patience = 0, 0.15
    state = _state(import_id)[0]
    while _state(import_id)[0] is state:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(import_id)],
            env=dict(os.environ) | environ,
            stdout=subprocess.PIPE,
        )
        assert worker.stdout is not None
        with worker.stdout:
            worker.stdout.readline()
        try:
            worker.wait(patience)
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            kills += 1
        patience *= 2
        db.session.rollback()
    return kills


def test_while_somebody_holds_the_database_nothing_is_half_booked(
    environ: dict[str, str], dialect: str
) -> None:
    if dialect != "sqlite":
        pytest.skip("one writer holds the whole database on SQLite only")
    listing = db.session.scalars(select(Listing)).one()
    one = bill.read(bill.bill(Paid(number) for number in range(500)), listing)
    import_id = one.id
    imports.commit(one, NOON, None)
    db.session.commit()
    with sqlite3.connect(environ["DATABASE_URL"].removeprefix("sqlite:///")) as other:
        other.execute("BEGIN IMMEDIATE")
        worker = threading.Thread(target=_work, args=(environ, import_id))
        worker.start()
        worker.join(8)
        other.rollback()
    worker.join(20)
    other.close()
    assert _state(import_id)[0] is ImportState.COMMITTING
    assert _count(Entry) == 0
    work_on(import_id)
    assert _count(Entry) == 500
    assert totals_agree()


def _work(environ: dict[str, str], import_id: int) -> None:
    """What a tick does."""
    with create_app(load(environ)).app_context():
        work_on(import_id, time.monotonic() + 5)
        db.session.remove()
        db.engine.dispose()


def _state(import_id: int) -> tuple[ImportState, int]:
    db.session.rollback()
    one = db.session.get_one(Import, import_id, populate_existing=True)
    found = one.state, one.rows
    db.session.rollback()
    return found


def _count(noun: type) -> int:
    found = db.session.scalar(select(func.count()).select_from(noun)) or 0
    db.session.rollback()
    return found
