"""Backups of a service that runs: what they hold agrees, and they need no more memory for more."""

import os
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path

from flask import Flask
from sqlalchemy import func, insert, select

from campaigns import ledger, stored
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.mail.transport import MemoryTransport, Outcome, State
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.file import FileChunk
from campaigns.model.listing import Listing
from tests import books, laid_back, make
from tests.laid_back import another, restore
from workers.office import Office

MEGABYTE = 1024 * 1024
CHUNKS = 32


@contextmanager
def meanwhile(app: Flask, work: "Work") -> Iterator[None]:
    """Somebody else does it again and again while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            with app.app_context():
                work()

    threads = [threading.Thread(target=run)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


class Work:
    """Books a donation, and sends a few letters, one transaction after the other."""

    def __init__(self, listing_id: int) -> None:
        self.listing_id, self.numbers = listing_id, count(1)
        self.office = Office(MemoryTransport(lambda to: _taken(to)), connections=2)

    def __call__(self) -> None:
        listing = db.session.get_one(Listing, self.listing_id)
        booking = books.booking(listing, ("trade", f"T{next(self.numbers)}"))
        ledger.book(booking, datetime.now(UTC))
        db.session.commit()
        self.office.work(0.05)


def test_while_money_is_booked_and_letters_leave_all_of_it_agrees(
    app: Flask, tmp_path: Path
) -> None:
    listing, mailing = make.listing(), make.mailing()
    for number in range(100):
        make.delivery(f"donor-{number}@example.org", of=mailing)
    work = Work(books.committed(listing))
    with meanwhile(app, work):
        made = [laid_back.make(tmp_path / str(number)) for number in range(2)]
    assert made[0].rows["entries"] < made[1].rows["entries"]
    for number in range(2):
        with another("sqlite", tmp_path):
            restore(tmp_path / str(number))
            assert books.totals_agree()
            assert _entries() == made[number].rows["entries"]
            assert _tried() == _sent()


def test_a_large_database_needs_no_more_memory(app: Flask, dialect: str, tmp_path: Path) -> None:
    file = stored.keep(BytesIO(b"a file"), datetime.now(UTC))
    for number in range(1, CHUNKS):
        values = {"file_id": file.id, "number": number, "content": os.urandom(MEGABYTE)}
        db.session.execute(insert(FileChunk).values(values))
    rows = [{"address_hash": f"{number:064}", "created_at": make.NOON} for number in range(8_000)]
    db.session.execute(insert(Donor), rows)
    db.session.commit()
    path = tmp_path / "file"
    with _at_most(CHUNKS * MEGABYTE // 2):
        made = laid_back.make(path)
    assert made.size > CHUNKS * MEGABYTE * 0.9
    with another(dialect, tmp_path):
        with _at_most(CHUNKS * MEGABYTE // 2):
            restore(path)
        assert db.session.scalar(select(func.count()).select_from(Donor)) == len(rows)


@contextmanager
def _at_most(octets: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < octets
    finally:
        tracemalloc.stop()


def _taken(to: Address) -> Outcome:
    return Outcome(State.SENT, 250, "kept")


def _entries() -> int:
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


def _tried() -> set[int]:
    """Letters that a relay took, by their attempts; those in hand are unknown after a restore."""
    taken = Attempt.outcome == DeliveryState.SENT
    return set(db.session.scalars(select(Attempt.delivery_id).where(taken)))


def _sent() -> set[int]:
    return set(db.session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.SENT)))
