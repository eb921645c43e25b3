"""What was signed is never lost: kept, booked later, and named to no log."""

import json

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.notice import Verdict
from tests.books import amounts, notices, verdicts
from tests.partner import Partner, body


def test_headers_are_kept_without_signature_and_credentials(
    client: FlaskClient, lianquan: Partner
) -> None:
    more = {"Authorization": "Bearer hidden", "Cookie": "session=hidden", "X-Secret": "hidden"}
    lianquan.post(client, body(), "evt-7", headers=more)
    kept = notices()[0].headers
    assert kept["webhook-id"] == "evt-7"
    assert "webhook-signature" not in kept
    assert "hidden" not in json.dumps(kept)


def test_a_booking_that_fails_for_a_reason_of_ours_waits_for_the_worker(
    client: FlaskClient, lianquan: Partner
) -> None:
    with _broken("donors"):
        answer = lianquan.post(client, body(donor={"email": "ada@example.org"}))
    assert answer.status_code == 202
    assert (amounts(), verdicts()) == ([], [Verdict.WAITING])
    assert (notices()[0].tries, notices()[0].next_try_at is not None) == (1, True)
    assert "ada" not in (notices()[0].reason or "")


def test_a_notice_that_waits_is_not_booked_by_coming_again(
    client: FlaskClient, lianquan: Partner
) -> None:
    post = body(donor={"email": "ada@example.org"})
    with _broken("donors"):
        lianquan.post(client, post, "evt")
    answer = lianquan.post(client, post, "evt")
    assert (answer.status_code, amounts(), notices()[0].tries) == (202, [], 1)
    assert answer.get_json()["reason"] == "Something went wrong here while it was booked"


class _broken:  # noqa: N801 - read as a context manager
    """A table that the service cannot find, as after a faulty deployment."""

    def __init__(self, table: str) -> None:
        self.table = table

    def __enter__(self) -> None:
        db.session.commit()
        db.session.execute(text(f"ALTER TABLE {self.table} RENAME TO {self.table}_away"))
        db.session.commit()

    def __exit__(self, *error: object) -> None:
        db.session.rollback()
        db.session.execute(text(f"ALTER TABLE {self.table}_away RENAME TO {self.table}"))
        db.session.commit()


def test_a_locked_database_acknowledges_nothing(client: FlaskClient, lianquan: Partner) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no lock of the whole database")
    db.session.commit()
    with db.engine.connect() as other:
        other.execute(update(WebhookEndpoint).values(source="held"))
        answer = lianquan.post(client, body())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert (amounts(), notices()) == ([], [])


def test_without_the_key_of_its_secret_nothing_is_acknowledged(
    client: FlaskClient, lianquan: Partner
) -> None:
    db.session.execute(text("UPDATE webhook_secrets SET sealed = 'k0:00'"))
    answer = lianquan.post(client, body())
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_logs_name_no_one(
    client: FlaskClient, lianquan: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(0), _broken("donors"):
        lianquan.post(client, body(donor={"email": "ada@example.org", "name": "Ada Lovelace"}))
    written = " ".join(record.getMessage() for record in caplog.records if record.name[0] != "s")
    assert "was not booked" in written
    assert "ada" not in written.lower().replace("adapter", "")


def test_being_heard_is_noted_once_a_minute(client: FlaskClient, lianquan: Partner) -> None:
    lianquan.post(client, body())
    first = endpoints.named("lianquan").heard_at
    lianquan.post(client, body())
    assert first is not None
    assert endpoints.named("lianquan").heard_at == first
