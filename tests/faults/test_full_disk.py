"""Fault row 7 for files: a disk that is full while one is handed in, read, booked or undone."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from campaigns import figures, imports
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.file import FileChunk
from campaigns.model.imported import Import, ImportRow, ImportState
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Role
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.make import NOON
from tests.web.staff.conftest import Desk
from tests.web.staff.files import hand_in
from workers.imports import work_on

ROWS = 4000
CONTENT = bill.bill(Paid(number) for number in range(ROWS))
# Pages that are left on the disk: none, and enough for the first batch.
ROOM = pytest.mark.parametrize("room", [0, 250])


@pytest.fixture
def listing(client: FlaskClient, dialect: str) -> Listing:
    if dialect != "sqlite":
        pytest.skip("the pages of PostgreSQL cannot be bounded")
    make.organisation()
    return make.listing(rule=Rule.ITEMISED)


@contextmanager
def full(room: int = 0) -> Iterator[None]:
    """No page for the database but so many, as on a full disk."""
    db.session.commit()
    own = db.engine.raw_connection()
    own.execute("PRAGMA query_only=OFF")
    own.execute("VACUUM")  # so that no page is free which other tests have left
    pages = own.execute("PRAGMA page_count").fetchone()[0] + room
    own.close()

    def bound(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    event.listen(db.engine, "begin", bound)
    try:
        yield
    finally:
        event.remove(db.engine, "begin", bound)
        db.session.rollback()
        db.engine.dispose()


def tick(one: Import) -> tuple[ImportState, int]:
    """What a worker does; the state then, and how many rows were done in it."""
    work_on(one.id, time.monotonic() + 60)
    db.session.refresh(one)
    return one.state, one.position


def count(noun: type) -> int:
    return db.session.scalar(select(func.count()).select_from(noun)) or 0


def raised(listing: Listing) -> int:
    published = figures.published(listing)
    return published.minor if published else 0


@ROOM
def test_reading_goes_on_when_there_is_room_again(listing: Listing, room: int) -> None:
    one = bill.add(CONTENT, listing)
    with full(room // 2):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.READING, room > 0, True)
        assert count(ImportRow) == rows
    assert tick(one)[0] is ImportState.REVIEW
    assert (one.rows, count(ImportRow)) == (ROWS, ROWS)


@ROOM
def test_nothing_counts_of_what_could_be_booked_in_part_only(listing: Listing, room: int) -> None:
    one = bill.read(CONTENT, listing)
    imports.commit(one, NOON, None)
    with full(room):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.COMMITTING, room > 0, True)
        assert (raised(listing), count(Entry)) == (0, rows)
    assert tick(one)[0] is ImportState.COMMITTED
    assert (raised(listing), count(Entry)) == (ROWS * 1050, ROWS)
    assert totals_agree()


@ROOM
def test_what_could_be_undone_in_part_only_counts_on(listing: Listing, room: int) -> None:
    one = bill.commit(bill.read(CONTENT, listing))
    imports.undo(one, "the wrong month", NOON, make.staff())
    with full(room // 2):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.UNDOING, room > 0, True)
        assert (raised(listing), count(Entry)) == (ROWS * 1050, ROWS + rows)
    assert tick(one)[0] is ImportState.UNDONE
    assert raised(listing) == 0
    assert totals_agree()


def test_a_file_for_which_the_database_has_no_room_is_not_taken(
    listing: Listing, client: FlaskClient
) -> None:
    treasurer = Desk(client, make.staff(None, Role.TREASURER))
    with full():
        answer = hand_in(treasurer, bill.bill(Paid(number) for number in range(2000)))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert (count(Import), count(FileChunk)) == (0, 0)
    assert hand_in(treasurer, bill.bill([Paid(1)])).status_code == 302


@pytest.mark.parametrize("most", [200_000, 700_000], ids=["as it comes", "as it is read"])
def test_a_file_for_which_the_disk_has_no_room_is_not_taken(
    listing: Listing, client: FlaskClient, most: int
) -> None:
    treasurer = Desk(client, make.staff(None, Role.TREASURER))
    fields = {"csrf_token": treasurer.token, "profile": "guess", "listing": "each", "mapping": ""}
    sent = fields | {"file": FileStorage(BytesIO(CONTENT * 8), "bill.csv")}
    stream, length, boundary = stream_encode_multipart(sent, threshold=10**9)
    before, highest = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, highest))
    try:
        answer = client.post(
            "/staff/imports",
            input_stream=stream,
            content_length=length,
            content_type=f"multipart/form-data; boundary={boundary}",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, highest))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert count(Import) == 0
    assert hand_in(treasurer, bill.bill([Paid(1)])).status_code == 302
