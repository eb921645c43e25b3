"""Fault row 7: a disk that is full while notices come, and files are handed in, read or booked."""

import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from campaigns import imports, notices
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.file import FileChunk
from campaigns.model.gift import Gift
from campaigns.model.imported import Import, ImportRow, ImportState
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Role
from campaigns.notices import Came
from tests import bill, make
from tests.bill import Paid
from tests.books import totals_agree
from tests.conftest import migrated
from tests.faults.full_disk import Disk, database_on_a_disk
from tests.faults.small_disk import MB, NoWorld
from tests.make import NOON
from tests.partner import body, partner
from tests.web.staff.conftest import Desk
from tests.web.staff.files import hand_in
from workers import book
from workers.imports import work_on

ROWS = 4000
CONTENT = bill.bill(Paid(number) for number in range(ROWS))
# What is left on the disk: nothing, and enough for the first batches.
ROOM = pytest.mark.parametrize("room", [0, 5 * MB // 4], ids=["no room", "some room"])


@pytest.fixture(scope="module")
def small(dialect: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Disk]]:
    with ExitStack() as stack:
        home = tmp_path_factory.mktemp("small")
        try:
            yield stack.enter_context(database_on_a_disk(dialect, home))
        except NoWorld as error:
            pytest.skip(f"this machine lets nobody mount a disk of their own: {error}")


@pytest.fixture(scope="module")
def _app(small: tuple[str, Disk], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with migrated(small[0], tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture
def disk(small: tuple[str, Disk]) -> Disk:
    return small[1]


def tick(one: Import) -> tuple[ImportState, int]:
    """What a worker does; the state then, and how many rows were done in it."""
    work_on(one.id, time.monotonic() + 60)
    db.session.refresh(one)
    return one.state, one.position


def count(noun: type) -> int:
    return db.session.scalar(select(func.count()).select_from(noun)) or 0


@ROOM
def test_reading_goes_on_when_there_is_room_again(listing: Listing, disk: Disk, room: int) -> None:
    one = bill.add(CONTENT, listing)
    with disk.full(room // 3):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.READING, room > 0, True)
        assert count(ImportRow) == rows
    assert tick(one)[0] is ImportState.REVIEW
    assert (one.rows, count(ImportRow)) == (ROWS, ROWS)


@ROOM
def test_nothing_counts_of_what_could_be_booked_in_part_only(
    listing: Listing, disk: Disk, room: int
) -> None:
    one = bill.read(CONTENT, listing)
    imports.commit(one, NOON, None)
    with disk.full(room):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.COMMITTING, room > 0, True)
        assert (bill.raised(listing), count(Entry)) == (0, rows)
    assert tick(one)[0] is ImportState.COMMITTED
    assert (bill.raised(listing), count(Entry)) == (ROWS * 1050, ROWS)
    assert totals_agree()


@ROOM
def test_what_could_be_undone_in_part_only_counts_on(
    listing: Listing, disk: Disk, room: int
) -> None:
    one = bill.commit(bill.read(CONTENT, listing))
    imports.undo(one, "the wrong month", NOON, make.staff())
    with disk.full(room // 3):
        state, rows = tick(one)
        assert (state, rows > 0, rows < ROWS) == (ImportState.UNDOING, room > 0, True)
        assert (bill.raised(listing), count(Entry)) == (ROWS * 1050, ROWS + rows)
    assert tick(one)[0] is ImportState.UNDONE
    assert bill.raised(listing) == 0
    assert totals_agree()


def test_what_nobody_wants_goes_although_the_disk_is_full(listing: Listing, disk: Disk) -> None:
    one = bill.read(CONTENT, listing)
    imports.discard(one, "the wrong file", NOON, None)
    with disk.full():
        assert tick(one) == (ImportState.DISCARDED, 0)
        assert (count(ImportRow), count(FileChunk)) == (0, 0)


def test_a_file_for_which_the_database_has_no_room_is_not_taken(
    listing: Listing, disk: Disk, client: FlaskClient
) -> None:
    treasurer = Desk(client, make.staff(None, Role.TREASURER))
    with disk.full():
        answer = hand_in(treasurer, bill.bill(Paid(number) for number in range(2000)))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert treasurer.get("/staff/imports").status_code == 200
    assert (count(Import), count(FileChunk)) == (0, 0)
    assert hand_in(treasurer, bill.bill([Paid(1)])).status_code == 302


def test_a_full_disk_acknowledges_no_notice(
    listing: Listing, disk: Disk, client: FlaskClient
) -> None:
    lianquan, large = partner(listing), body().ljust(200_000)
    with disk.full():
        for _ in range(2):
            answer = lianquan.post(client, large, "evt")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert (count(Entry), count(Notice)) == (0, 0)
    assert [lianquan.post(client, large, "evt").status_code for _ in range(2)] == [200, 200]
    assert (count(Entry), count(Notice), totals_agree()) == (1, 1, True)


def gifts(number: int) -> list[tuple[bytes, str]]:
    """Notices of givers with much to say, and their ids."""
    return [(body(message="加油" * 200), f"gift-{one}") for one in range(number)]


def test_a_notice_for_a_part_of_which_there_is_room_is_not_acknowledged(
    listing: Listing, disk: Disk, client: FlaskClient
) -> None:
    """The notice itself has room on its table's last page, who gave it has none."""
    lianquan, posts = partner(listing), gifts(30)
    assert {lianquan.post(client, body()).status_code for _ in range(3)} == {200}
    with disk.full():
        answers = Counter(lianquan.post(client, *post).status_code for post in posts)
        assert answers == Counter({200: count(Entry) - 3, 503: 33 - count(Notice)})
        assert count(Entry) < 33
    assert {lianquan.post(client, *post).status_code for post in posts} == {200}
    assert (count(Notice), count(Entry), count(Gift), totals_agree()) == (33, 33, 30, True)


def book_all(now: datetime) -> None:
    while book.book_one(now):
        continue


def test_notices_that_wait_lose_none_of_their_tries(listing: Listing, disk: Disk) -> None:
    endpoint, soon = make.endpoint(listing=listing), NOON + timedelta(minutes=1)
    for content, event in gifts(20):
        kept = notices.take(endpoint, Came(event, content, {}, NOON))
        notices.postpone(kept.notice_id, "a fault", NOON)
    with disk.full(), pytest.raises(OperationalError):
        book_all(soon)
    waiting = select(Notice.tries).where(Notice.verdict == Verdict.WAITING)
    assert list(db.session.scalars(waiting)) == [1] * (20 - count(Entry)) != []
    book_all(soon)
    assert (count(Entry), totals_agree()) == (20, True)


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
