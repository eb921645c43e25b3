"""Logging in: who gets in, who is slowed, and where one lands."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaigns import accounts, throttles
from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.staff import Role, Staff
from campaigns.model.throttle import Throttle
from campaigns.web.staff.login import by_address
from config import load
from tests import make
from tests.conftest import environment
from tests.web.staff.conftest import token

PASSWORD = "three green bicycles"


@pytest.fixture
def lin(app: object) -> Staff:
    staff = make.staff("lin@example.org", Role.EDITOR, locale="en")
    accounts.set_password(staff, PASSWORD, make.NOON)
    db.session.commit()
    return staff


def log_in(
    client: FlaskClient, email: str = "lin@example.org", password: str = PASSWORD, **more: str
) -> TestResponse:
    fields = {"csrf_token": token(client.get("/staff/login?lang=en")), **more}
    return client.post(
        "/staff/login?lang=en", data={"email": email, "password": password, **fields}
    )


def test_the_right_password_opens_the_door(client: FlaskClient, lin: Staff) -> None:
    assert log_in(client).status_code == 302
    assert "Lin" in client.get("/staff/me").text
    assert db.session.query(AuditRecord).filter_by(action="log in", staff_id=lin.id).one()


def test_the_address_may_be_spelled_with_capitals(client: FlaskClient, lin: Staff) -> None:
    assert log_in(client, " Lin@Example.ORG ").status_code == 302


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: FlaskClient, lin: Staff
) -> None:
    wrong = log_in(client, password="not the password")
    unknown = log_in(client, "nobody@example.org")
    assert wrong.status_code == unknown.status_code == 403
    texts = {
        answer.text.replace(token(answer), "").replace(name, "")
        for answer, name in ((wrong, "lin@"), (unknown, "nobody@"))
    }
    assert len(texts) == 1


def test_somebody_who_left_cannot_log_in(client: FlaskClient, lin: Staff) -> None:
    lin.active = False
    assert log_in(client).status_code == 403


def tries(email: str) -> int:
    subject = throttles.hashed(by_address(email))
    return db.session.scalars(select(Throttle.tries).filter_by(subject=subject)).one()


def guess_often(client: FlaskClient, email: str) -> None:
    """Two guesses, and as if six more had just been made: a wait of eight seconds."""
    for _ in range(2):
        assert log_in(client, email, "a guess").status_code == 403
    subject = throttles.hashed(by_address(email))
    row = db.session.scalars(select(Throttle).filter_by(subject=subject)).one()
    row.tries, row.since = row.tries + 6, datetime.now(UTC)


def test_guessing_is_slowed_and_says_for_how_long(client: FlaskClient, lin: Staff) -> None:
    guess_often(client, "lin@example.org")
    slowed = log_in(client)
    assert slowed.status_code == 429
    assert 4 <= int(slowed.headers["Retry-After"]) <= 9
    assert "Wait" in slowed.text


def test_guessing_an_unknown_address_is_slowed_just_so(client: FlaskClient, lin: Staff) -> None:
    guess_often(client, "nobody@example.org")
    assert log_in(client, "nobody@example.org").status_code == 429
    assert log_in(client).status_code == 302


@pytest.mark.parametrize(
    "spelling", ["LIN@example.org", "lin@ｅxample.org", " lin@example.org", "lin@EXAMPLE。org"]
)
def test_another_spelling_of_an_address_is_no_fresh_start(app: object, spelling: str) -> None:
    assert accounts.at(spelling) is accounts.at("lin@example.org")
    assert by_address(spelling) == by_address("lin@example.org")


def test_each_guess_counts(client: FlaskClient, lin: Staff) -> None:
    for _ in range(3):
        log_in(client, password="a guess")
    assert tries("lin@example.org") == 3


def test_a_right_password_starts_the_count_afresh(client: FlaskClient, lin: Staff) -> None:
    for _ in range(3):
        log_in(client, password="a guess")
    log_in(client)
    elsewhere = client.application.test_client()
    log_in(elsewhere, password="a guess")
    assert tries("lin@example.org") == 1


def test_what_is_logged_and_kept_names_nobody(
    client: FlaskClient, lin: Staff, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        log_in(client, password="a guess")
    assert "A login was refused" in caplog.text
    assert "lin@" not in caplog.text
    assert all(len(row.subject) == 64 for row in db.session.query(Throttle))


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//elsewhere.example/x",
        "\\\\elsewhere.example",
        "/\\elsewhere.example",
        "https://elsewhere.example/staff",
        "https:elsewhere.example",
        "javascript:alert(1)",
        "/staff\\@elsewhere.example",
        "/staffelsewhere",
        "/staff/\r\nLocation: https://elsewhere.example",
        "/c/after-school",
    ],
)
def test_next_leads_nowhere_else(client: FlaskClient, lin: Staff, elsewhere: str) -> None:
    answer = log_in(client, next=elsewhere)
    assert answer.status_code == 302
    assert answer.location == "/staff"


def test_next_leads_back_to_where_one_wanted_to_go(client: FlaskClient, lin: Staff) -> None:
    asked = client.get("/staff/me?tab=1")
    assert asked.location == "/staff/login?next=/staff/me?tab%3D1"
    assert 'value="/staff/me?tab=1"' in client.get(asked.location).text
    assert log_in(client, next="/staff/me?tab=1").location == "/staff/me?tab=1"


def test_a_form_without_its_token_is_refused_with_what_to_do(
    client: FlaskClient, lin: Staff
) -> None:
    answer = client.post("/staff/login?lang=en", data={"email": lin.email, "password": PASSWORD})
    assert answer.status_code == 400
    assert "load it again" in answer.text


def test_a_token_of_another_session_is_refused(client: FlaskClient, lin: Staff) -> None:
    other = token(client.application.test_client().get("/staff/login"))
    client.get("/staff/login")
    answer = client.post("/staff/login", data={"csrf_token": other, "email": lin.email})
    assert answer.status_code == 400


def test_the_cookie_is_for_staff_pages_and_no_script(client: FlaskClient, lin: Staff) -> None:
    cookie = log_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/staff" in cookie


@pytest.mark.parametrize(
    ("embedded", "address", "secure"),
    [
        ("1", "http://127.0.0.1:8000", False),
        ("1", "https://give.example.org", True),
        ("0", "http://give.example.org", True),
    ],
)
def test_the_cookie_is_secure_outside_the_embedded_run(
    new_database: str, tmp_path: Path, embedded: str, address: str, secure: bool
) -> None:
    environ = environment(new_database, tmp_path, EMBEDDED=embedded, BASE_URL=address)
    assert create_app(load(environ)).config["SESSION_COOKIE_SECURE"] is secure


def test_public_pages_do_not_look_at_the_cookie(client: FlaskClient, lin: Staff) -> None:
    log_in(client)
    answer = client.get("/healthz")
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_new_password_ends_the_sessions_elsewhere(client: FlaskClient, lin: Staff) -> None:
    log_in(client)
    accounts.set_password(lin, "four yellow kites, flying", datetime.now(UTC))
    assert client.get("/staff/me").status_code == 302


def test_changing_ones_own_password_keeps_only_this_session(
    client: FlaskClient, lin: Staff
) -> None:
    log_in(client)
    elsewhere = client.application.test_client()
    log_in(elsewhere)
    fields = {"current": PASSWORD, "new": "four yellow kites, flying"}
    fields["csrf_token"] = token(client.get("/staff/me"))
    assert client.post("/staff/me/password", data=fields).status_code == 302
    assert client.get("/staff/me").status_code == 200
    assert elsewhere.get("/staff/me").status_code == 302


def test_logging_out_ends_the_session(client: FlaskClient, lin: Staff) -> None:
    log_in(client)
    client.post("/staff/logout", data={"csrf_token": token(client.get("/staff/me"))})
    assert client.get("/staff/me").status_code == 302
