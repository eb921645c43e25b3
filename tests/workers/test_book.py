"""What could not be booked when it came is booked by the worker, or left to a person."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from campaigns import notices
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.notices import Came
from tests import make
from tests.make import NOON
from tests.partner import body
from workers import book

SOON = NOON + timedelta(minutes=1)


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing()


def waiting(listing: Listing, content: bytes) -> Notice:
    endpoint = make.endpoint(listing=listing)
    kept = notices.take(endpoint, Came("evt", content, {}, NOON))
    notices.postpone(kept.notice_id, "a fault", NOON)
    db.session.commit()
    return db.session.get_one(Notice, kept.notice_id)


def entries() -> int:
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


@pytest.fixture
def _no_donors(app: Flask) -> Iterator[None]:
    """A fault of ours: the table of donors cannot be found."""
    db.session.execute(text("ALTER TABLE donors RENAME TO donors_away"))
    db.session.commit()
    yield
    db.session.rollback()
    db.session.execute(text("ALTER TABLE donors_away RENAME TO donors"))
    db.session.commit()


def test_a_waiting_notice_is_booked_when_it_is_due(listing: Listing) -> None:
    notice = waiting(listing, body())
    assert not book.book_one(NOON)
    assert book.book_one(SOON)
    assert (notice.verdict, entries()) == (Verdict.BOOKED, 1)
    assert not book.book_one(SOON)


def test_the_tick_books_everything_that_is_due(listing: Listing) -> None:
    notices = [waiting(listing, body()) for _ in range(3)]
    book.waiting_notices()
    assert [notice.verdict for notice in notices] == [Verdict.BOOKED] * 3
    assert entries() == 3


@pytest.mark.usefixtures("_no_donors")
def test_a_notice_that_fails_again_waits_longer(listing: Listing) -> None:
    notice = waiting(listing, body(donor={"email": "ada@example.org"}))
    before = notice.next_try_at
    assert book.book_one(SOON)
    assert (notice.verdict, notice.tries, entries()) == (Verdict.WAITING, 2, 0)
    assert before is not None
    assert notice.next_try_at is not None
    assert notice.next_try_at - SOON > before - NOON
    assert "ada" not in (notice.reason or "")


@pytest.mark.usefixtures("_no_donors")
def test_a_notice_that_fails_does_not_stop_the_others(listing: Listing) -> None:
    waiting(listing, body(donor={"email": "ada@example.org"}))
    other = waiting(listing, body())
    book.waiting_notices()
    assert other.verdict is Verdict.BOOKED


@pytest.mark.usefixtures("_no_donors")
def test_in_the_end_a_person_looks(listing: Listing) -> None:
    notice, now = waiting(listing, body(donor={"email": "ada@example.org"})), NOON
    while book.book_one(now):
        now = notice.next_try_at or now
    for _ in range(20):
        now += timedelta(days=1)
        book.book_one(now)
    assert (notice.verdict, notice.next_try_at) == (Verdict.FAILED, None)
    assert not book.book_one(now + timedelta(days=9))


def test_two_workers_book_a_notice_once(app: Flask, listing: Listing) -> None:
    for _ in range(4):
        waiting(listing, body())
    db.session.commit()

    def work(_: int) -> int:
        with app.app_context():
            return sum(book.book_one(SOON) for _ in range(4))

    with ThreadPoolExecutor(4) as pool:
        booked = sum(pool.map(work, range(4)))
    assert (booked, entries()) == (4, 4)
