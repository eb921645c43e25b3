"""Raw answers: the last of a listing and those of its failures are kept, in bounds."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from campaigns import hosts, polling, raw_answers
from campaigns.db import db
from campaigns.model.answer import RawAnswer
from campaigns.model.listing import Listing, PollFailure
from campaigns.platforms.base import Answer, PlatformError, Reading, Unreachable, Unreadable
from campaigns.questions import Question, Response
from tests import make
from tests.make import NOON


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing()


def came(
    listing: Listing, body: bytes | None, at: datetime = NOON, error: PlatformError | None = None,
    status: int = 200, headers: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """One answer, or none, to a question about the listing."""
    question = Question(listing.id, 0, listing.host, "tencent", "1", "", None, None, None, None)
    answer = None
    if body is not None:
        answer = Answer(status, headers or {}, body, at, "https://ssl.gongyi.qq.com/x")
    reading = None if error or status == 304 else Reading(None, at)
    response = Response(question, reading, error, answer)
    hosts.hold([listing.host], at)
    raw_answers.keep([(listing, response)], polling.settle([(listing, response)], at))
    db.session.commit()


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(RawAnswer)) or 0


def kept(listing: Listing) -> RawAnswer:
    answer = raw_answers.last(listing.id)
    assert answer is not None
    return answer


def test_the_last_answer_takes_the_place_of_the_one_before(listing: Listing) -> None:
    came(listing, b"one", headers={"content-type": "text/html", "set-cookie": "id=secret"})
    came(listing, b"two", NOON + timedelta(minutes=10))
    assert (kept(listing).body, kept(listing).at) == (b"two", NOON + timedelta(minutes=10))
    assert count() == 1


def test_cookies_are_not_kept(listing: Listing) -> None:
    came(listing, b"one", headers={"content-type": "text/html", "set-cookie": "id=secret"})
    assert kept(listing).headers == {"content-type": "text/html"}


def test_that_nothing_changed_leaves_what_was_said(listing: Listing) -> None:
    came(listing, b"one")
    came(listing, b"", NOON + timedelta(minutes=10), status=304)
    assert kept(listing).body == b"one"


def test_an_answer_that_could_not_be_read_belongs_to_its_failure(listing: Listing) -> None:
    came(listing, b"one")
    came(listing, b"odd", error=Unreadable("The answer is empty."))
    failure = db.session.scalars(select(PollFailure)).one()
    assert kept(listing).body == b"one"
    assert raw_answers.of_failures([failure.id])[failure.id].size == 3


def test_without_an_answer_nothing_is_kept(listing: Listing) -> None:
    came(listing, None, error=Unreachable("The server does not answer."))
    assert count() == 0


def test_the_answers_of_the_last_failures_are_kept_and_older_ones_are_not(
    listing: Listing,
) -> None:
    came(listing, b"good")
    other = make.listing()
    came(other, b"other", error=Unreadable("The answer is empty."))
    for minute in range(raw_answers.MOST_FAILURES + 3):
        at = NOON + timedelta(minutes=minute)
        came(listing, b"%d" % minute, at, Unreadable("The answer is empty."))
    bodies = set(db.session.scalars(select(RawAnswer.body)))
    assert b"2" not in bodies
    assert {b"3", b"22", b"good", b"other"} <= bodies
    assert count() == raw_answers.MOST_FAILURES + 2


def test_a_large_answer_is_cut_and_says_so(listing: Listing) -> None:
    came(listing, "已".encode() * 30_000)
    answer = kept(listing)
    assert (len(answer.body), answer.size) == (raw_answers.LARGEST_BODY, 90_000)
    text, charset = raw_answers.text(answer)
    assert (set(text), charset) == ({"已"}, "UTF-8")


def test_text_is_shown_without_what_steers_it(listing: Listing) -> None:
    came(listing, "a\x00\x1b[2J\u202eb".encode())
    assert raw_answers.text(kept(listing))[0] == "a[2Jb"


def test_two_listings_at_once_are_kept_apart(listing: Listing) -> None:
    other = make.listing()
    came(listing, b"one")
    came(other, b"two")
    assert (kept(listing).body, kept(other).body) == (b"one", b"two")
