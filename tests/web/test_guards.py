"""What every request meets: GETs that cannot write, bounded input, headers, honest errors."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Blueprint, Flask, request
from flask.testing import FlaskClient
from sqlalchemy import event

from campaigns.app import create_app
from campaigns.db import db
from campaigns.model.donor import Donor
from campaigns.web import guards
from config import load
from tests import make
from tests.conftest import environment

bp = Blueprint("tried", __name__)


@bp.route("/tried/write", methods=["GET", "POST"])
def write() -> str:
    db.session.add(Donor(name=request.args.get("name", "Ada"), created_at=make.NOON))
    db.session.commit()
    return "written"


@bp.post("/tried/same")
def same() -> str:
    db.session.add(Donor(address_hash="0" * 64, created_at=make.NOON))
    db.session.commit()
    return "written"


@bp.get("/tried/fail")
def fail() -> str:
    raise RuntimeError("ada@example.org could not be read")


@bp.post("/tried/form")
def form() -> str:
    guards.same_origin()
    return f"{request.form.get('a', '')} from {guards.client_address()}"


@bp.get("/tried/<int:row>")
def row(row: int) -> str:
    return str(db.session.get(Donor, row))


@pytest.fixture
def served(new_database: str, tmp_path: Path) -> Iterator[Flask]:
    """A service as it runs, with a few routes that do what no real one would."""
    app = create_app(load(environment(new_database, tmp_path, BASE_URL="https://give.example.org")))
    app.register_blueprint(bp)
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def browser(served: Flask) -> FlaskClient:
    return served.test_client()


def donors(app: Flask) -> int:
    with app.app_context():
        return db.session.query(Donor).count()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_only_reads_cannot_write(served: Flask, browser: FlaskClient, method: str) -> None:
    assert browser.open("/tried/write", method=method).status_code == 500
    assert donors(served) == 0


def test_a_post_writes_also_right_after_a_get_that_failed(
    served: Flask, browser: FlaskClient
) -> None:
    browser.get("/tried/write")
    assert browser.post("/tried/write").text == "written"
    assert donors(served) == 1


def test_who_was_beaten_to_a_unique_key_is_told_so(served: Flask, browser: FlaskClient) -> None:
    statuses = [browser.post("/tried/same").status_code for _ in range(3)]
    assert statuses == [200, 409, 409]
    assert donors(served) == 1


def test_every_answer_carries_the_policy_and_demands_https(browser: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere", "/tried/fail"):
        headers = browser.get(path).headers
        assert headers["Content-Security-Policy"] == guards.POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["Cache-Control"] == "no-store"


def test_without_https_nothing_demands_it(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


@pytest.mark.parametrize(
    "path",
    [
        "/%ff%fe",
        "/tried/%C0%AF",
        f"/tried/{2**63}",
        f"/tried/{'9' * 400}",
        "/tried/-1",
        "/" + "x" * 8000,
        "/en/../../etc/passwd",
    ],
)
def test_an_address_that_is_none_is_not_found(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_the_largest_id_is_looked_for(browser: FlaskClient) -> None:
    assert browser.get(f"/tried/{2**63 - 1}").text == "None"


@pytest.mark.parametrize("path", ["/tried/%00", "/tried/write?a=%00", "/tried/write?%00=a"])
def test_nul_in_an_address_is_refused(browser: FlaskClient, path: str) -> None:
    assert browser.post(path).status_code == 400


def test_nul_in_a_form_is_refused(browser: FlaskClient) -> None:
    assert browser.post("/tried/form", data={"a": "\0"}).status_code == 400


def test_a_body_larger_than_any_door_takes_is_refused(browser: FlaskClient) -> None:
    assert browser.post("/tried/form", data={"a": "x" * 3_000_000}).status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://give.example.org", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://elsewhere.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_forms_without_a_session_are_taken_from_our_own_pages_only(
    browser: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert browser.post("/tried/form", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("peer", "named", "counts"),
    [
        ("8.8.4.4", None, "8.8.4.4"),
        ("8.8.4.4", "8.8.8.8", "8.8.4.4"),
        ("127.0.0.1", "8.8.8.8", "8.8.8.8"),
        ("10.0.0.2", "6.6.6.6, 8.8.8.8", "8.8.8.8"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
    ],
)
def test_a_client_is_known_by_what_our_own_proxy_says(
    browser: FlaskClient, peer: str, named: str | None, counts: str
) -> None:
    headers = {"X-Forwarded-For": named} if named else {}
    answer = browser.post("/tried/form", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.text == f" from {counts}"


def test_a_failure_leaves_one_line_that_names_nobody(
    browser: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = browser.get("/tried/fail")
    assert answer.status_code == 500
    assert "ada@" not in answer.text
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "RuntimeError" in line
    assert "test_guards.py" in line
    assert "ada@" not in line
    assert "\n" not in line


@pytest.mark.parametrize(("path", "words"), [("/en/x", "nothing at this"), ("/zh/x", "没有")])
def test_an_error_speaks_the_language_of_the_address(
    browser: FlaskClient, path: str, words: str
) -> None:
    assert words in browser.get(path).text


def test_machines_get_errors_as_json(browser: FlaskClient) -> None:
    assert browser.get("/nowhere.json").json == {"error": "Not Found"}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_locked_database_is_our_outage_and_nothing_is_half_written(
    served: Flask, browser: FlaskClient, impatient: None, accept: str
) -> None:
    with locked(served):
        answer = browser.post("/tried/write", headers={"Accept": accept})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert donors(served) == 0
    assert browser.post("/tried/write").text == "written"


def test_a_full_disk_is_our_outage(served: Flask, browser: FlaskClient, dialect: str) -> None:
    if dialect == "postgresql":
        pytest.skip("A full disk is made by SQLite's limit on pages.")
    with served.app_context():
        event.listen(db.engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count=1"))
        db.engine.dispose()
    answer = browser.post("/tried/write", query_string={"name": "x" * 500_000})
    assert answer.status_code == 503
    assert donors(served) == 0


def test_lost_connections_are_our_outage_and_the_next_request_finds_new_ones(
    served: Flask, browser: FlaskClient, dialect: str
) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite has no server to lose.")
    assert browser.get("/tried/1").text == "None"
    with served.app_context():
        url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert browser.post("/tried/write").text == "written"


@pytest.fixture
def impatient(served: Flask, dialect: str) -> None:
    """Connections that wait a moment for a lock instead of seconds."""
    wait = "PRAGMA busy_timeout=200" if dialect == "sqlite" else "SET lock_timeout = '200ms'"

    def hurry(raw: Any, record: object) -> None:
        raw.execute(wait)
        raw.commit()

    with served.app_context():
        event.listen(db.engine, "connect", hurry)
        db.engine.dispose()


@contextmanager
def locked(app: Flask) -> Iterator[None]:
    with app.app_context():
        url = db.engine.url
    if url.drivername == "sqlite":
        with closing(sqlite3.connect(url.database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        connection.execute("LOCK TABLE donors IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()
