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
from select import select as ready
from typing import IO

import flask_migrate
import pytest
from sqlalchemy import func, select

from campaigns import imports
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.file import FileChunk
from campaigns.model.gift import Gift
from campaigns.model.imported import Import, ImportGiver, ImportRow, ImportState
from campaigns.model.listing import Listing, Rule
from config import load
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.conftest import empty_database, environment
from tests.local.running import eventually
from tests.make import NOON
from workers.imports import work_on

pytestmark = pytest.mark.stack
ROWS, GIVERS = 6000, 2000
CONTENT = bill.bill(
    Paid(number, party="" if number % 3 else f"张三 (zs{number}@example.org)")
    for number in range(ROWS)
)
# Loads the service once; has a worker for each line that it is sent, an import and the seconds
# between two batches, and says when that ended.
NURSERY = """
import os, sys
from campaigns.app import create_app
from campaigns.batches import Pace
from config import load
from workers import imports
Pace.most = 200  # Small batches and long breaths, so that a kill falls between and into them.
app = create_app(load())
for line in sys.stdin:
    if worker := os.fork():
        print(worker, flush=True)
        os.waitpid(worker, 0)
        print("over", flush=True)
        continue
    import_id, imports.BREATH = int(line.split()[0]), float(line.split()[1])
    with app.app_context():
        imports.work_on(import_id)
    os._exit(0)
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


@pytest.mark.timeout(400)
def test_killed_again_and_again_it_stages_books_and_undoes_once(environ: dict[str, str]) -> None:
    listing = db.session.scalars(select(Listing)).one()
    one = bill.add(CONTENT, listing)
    kills = [_storm(one.id, environ)]
    assert _state(one.id) == (ImportState.REVIEW, ROWS)
    assert (_count(ImportRow), _count(ImportGiver)) == (ROWS, GIVERS)
    imports.commit(db.session.get_one(Import, one.id), NOON, None)
    db.session.commit()
    kills.append(_storm(one.id, environ))
    assert _state(one.id)[0] is ImportState.COMMITTED
    assert (_count(Entry), _count(EntryKey), _count(Gift)) == (ROWS, 3 * ROWS, GIVERS)
    assert bill.raised(listing) == ROWS * 1050
    imports.undo(db.session.get_one(Import, one.id), "a trial", NOON, make.staff())
    db.session.commit()
    kills.append(_storm(one.id, environ))
    assert _state(one.id)[0] is ImportState.UNDONE
    assert (_count(Entry), _count(EntryKey)) == (2 * ROWS, 0)
    assert bill.raised(listing) == 0
    assert totals_agree()
    assert min(kills) > 0


@pytest.mark.timeout(200)
def test_killed_again_and_again_what_nobody_wants_is_put_away_whole(
    environ: dict[str, str],
) -> None:
    one = bill.add(CONTENT, db.session.scalars(select(Listing)).one())
    _kill_after_one_batch(one.id, environ)
    imports.discard(db.session.get_one(Import, one.id), "the wrong file", NOON, None)
    db.session.commit()
    assert 0 < _count(ImportRow) < ROWS
    assert _storm(one.id, environ) > 0
    assert _state(one.id)[0] is ImportState.DISCARDED
    gone = (ImportRow, ImportGiver, FileChunk, Entry)
    assert [_count(noun) for noun in gone] == [0, 0, 0, 0]


def _storm(import_id: int, environ: dict[str, str]) -> int:
    """Kill the worker while it works, a little later each time, until it is done; how often."""
    kills, patience = 0, 0.15
    before = _state(import_id)[0]
    with _nursery(environ) as nursery:
        while _state(import_id)[0] is before:
            worker = _born(nursery, import_id, breath=0.05)
            ended, _, _ = ready([_out(nursery)], [], [], patience)
            if not ended:
                os.kill(worker, signal.SIGKILL)
            assert _out(nursery).readline() == b"over\n"
            kills += not ended
            patience *= 2
    return kills


def _kill_after_one_batch(import_id: int, environ: dict[str, str]) -> None:
    with _nursery(environ) as nursery:
        worker = _born(nursery, import_id, breath=600)
        eventually(lambda: _count(ImportRow) > 0, 100, "the first batch")
        os.kill(worker, signal.SIGKILL)
        assert _out(nursery).readline() == b"over\n"


def _nursery(environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        env=dict(os.environ) | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )


def _born(nursery: "subprocess.Popen[bytes]", import_id: int, breath: float) -> int:
    """A worker on the import."""
    assert nursery.stdin
    nursery.stdin.write(b"%d %f\n" % (import_id, breath))
    return int(_out(nursery).readline())


def _out(nursery: "subprocess.Popen[bytes]") -> IO[bytes]:
    assert nursery.stdout
    return nursery.stdout


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
