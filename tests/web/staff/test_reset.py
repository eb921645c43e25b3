"""A new password by letter."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaigns import accounts
from campaigns.crypto import token_hash
from campaigns.db import db
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.staff import Staff
from tests import make
from tests.web.staff.conftest import token

TOKEN = "a-token-that-came-by-letter"


@pytest.fixture
def lin(app: object) -> Staff:
    return make.staff("lin@example.org", locale="en")


def ask(client: FlaskClient, email: str) -> TestResponse:
    fields = {"csrf_token": token(client.get("/staff/reset?lang=en")), "email": email}
    return client.post("/staff/reset?lang=en", data=fields)


def letters() -> list[Delivery]:
    return list(db.session.query(Delivery).filter_by(letter=LetterKind.RESET))


def posted(now: datetime) -> None:
    """A reset letter that went out with TOKEN in its link."""
    accounts.ask_reset("lin@example.org", now)
    letters()[-1].token_hash = token_hash(TOKEN)
    db.session.commit()


def follow(client: FlaskClient, password: str = "four yellow kites, flying") -> TestResponse:
    page = client.get(f"/staff/reset/{TOKEN}?lang=en")
    if page.status_code != 200:
        return page
    fields = {"csrf_token": token(page), "new": password}
    return client.post(f"/staff/reset/{TOKEN}?lang=en", data=fields)


def test_a_known_and_an_unknown_address_get_the_same_answer(
    client: FlaskClient, lin: Staff
) -> None:
    assert ask(client, "lin@example.org").text == ask(client, "nobody@example.org").text
    assert [letter.staff_id for letter in letters()] == [lin.id]


def test_three_letters_an_hour_are_enough(client: FlaskClient, lin: Staff) -> None:
    for _ in range(5):
        assert ask(client, "lin@example.org").status_code == 200
    assert len(letters()) == 3


def test_the_link_sets_a_password_and_ends_sessions(client: FlaskClient, lin: Staff) -> None:
    before = lin.session_key
    posted(datetime.now(UTC))
    assert follow(client).status_code == 302
    assert accounts.check("lin@example.org", "four yellow kites, flying") == lin
    assert lin.session_key != before


def test_opening_the_link_changes_nothing(client: FlaskClient, lin: Staff) -> None:
    posted(datetime.now(UTC))
    client.get(f"/staff/reset/{TOKEN}")
    assert follow(client).status_code == 302


def test_the_link_works_once(client: FlaskClient, lin: Staff) -> None:
    posted(datetime.now(UTC))
    follow(client)
    assert follow(client).status_code == 404


def test_the_link_works_for_an_hour(client: FlaskClient, lin: Staff) -> None:
    posted(datetime.now(UTC) - timedelta(minutes=61))
    assert follow(client).status_code == 404


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaaa", "i am lin at work", "x1" * 200])
def test_a_weak_password_is_refused_with_a_reason(
    client: FlaskClient, lin: Staff, weak: str
) -> None:
    posted(datetime.now(UTC))
    answer = follow(client, weak)
    assert answer.status_code == 400
    assert 'id="new-error"' in answer.text


def test_a_link_of_another_letter_sets_no_password(client: FlaskClient, lin: Staff) -> None:
    make.delivery().token_hash = token_hash(TOKEN)
    assert client.get(f"/staff/reset/{TOKEN}").status_code == 404
