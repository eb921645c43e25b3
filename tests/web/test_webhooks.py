"""The webhook door: what is taken, what is refused and why, and that nothing is booked twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from campaigns import endpoints, ledger
from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing, Rule
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.platforms.base import LARGEST_NOTICE
from campaigns.web import webhooks
from config import settings
from tests import make
from tests.make import NOON
from tests.partner import Partner, body, partner
from tests.test_progress import counted

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "standard_webhooks.json").read_text("utf-8")
)["cases"]


@pytest.fixture
def listing(app: Flask) -> Listing:
    return make.listing(rule=Rule.ITEMISED)


@pytest.fixture
def lianquan(listing: Listing) -> Partner:
    return partner(listing, "lianquan")


def amounts() -> list[int]:
    return list(db.session.scalars(select(Entry.amount_minor).order_by(Entry.id)))


def notices() -> list[Notice]:
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def verdicts() -> list[Verdict]:
    return [notice.verdict for notice in notices()]


def test_a_signed_donation_is_in_the_ledger_when_it_is_answered(
    client: FlaskClient, lianquan: Partner
) -> None:
    answer = lianquan.post(client, body(amount="10.50"))
    assert (answer.status_code, answer.json) == (200, {"ok": True, "reason": "Booked."})
    assert amounts() == [1050]
    assert verdicts() == [Verdict.BOOKED]


def test_a_notice_that_comes_again_changes_nothing(client: FlaskClient, lianquan: Partner) -> None:
    post = body()
    for _ in range(3):
        assert lianquan.post(client, post, "evt").status_code == 200
    assert (len(amounts()), len(notices())) == (1, 1)


def test_a_donation_under_another_event_id_is_booked_once(
    client: FlaskClient, lianquan: Partner
) -> None:
    assert lianquan.post(client, body(external_id="LQ-1")).status_code == 200
    assert lianquan.post(client, body(external_id="LQ-1")).status_code == 200
    assert (len(amounts()), verdicts()) == (1, [Verdict.BOOKED] * 2)


def test_an_event_id_with_another_body_is_refused_and_kept(
    client: FlaskClient, lianquan: Partner
) -> None:
    other = body(external_id="LQ-1", amount="99.00")
    assert lianquan.post(client, body(external_id="LQ-1"), "evt").status_code == 200
    assert lianquan.post(client, other, "evt").status_code == 409
    assert lianquan.post(client, other, "evt").status_code == 409
    assert amounts() == [1050]
    assert verdicts() == [Verdict.BOOKED, Verdict.CONFLICT]
    assert notices()[1].contradicts == notices()[0].id
    assert lianquan.post(client, body(external_id="LQ-1"), "evt").status_code == 200


def test_a_number_with_another_amount_is_refused_and_kept(
    client: FlaskClient, lianquan: Partner
) -> None:
    lianquan.post(client, body(external_id="LQ-1"))
    answer = lianquan.post(client, body(external_id="LQ-1", amount="11.00"))
    assert answer.status_code == 409
    assert "LQ-1" in answer.text
    assert (amounts(), verdicts()) == ([1050], [Verdict.BOOKED, Verdict.CONFLICT])


def test_a_refund_before_its_donation_gives_the_right_sum(
    client: FlaskClient, lianquan: Partner
) -> None:
    lianquan.post(client, body("refund", "R-1", "4.00", refunds="LQ-1"))
    assert amounts() == [-400]
    lianquan.post(client, body("donation", "LQ-1", "10.50"))
    assert amounts() == [-400, 1050]
    assert db.session.scalars(select(Entry.regards)).first() == "trade:LQ-1"


def test_two_partial_refunds_are_two_entries(client: FlaskClient, lianquan: Partner) -> None:
    lianquan.post(client, body("donation", "LQ-1", "10.50"))
    lianquan.post(client, body("refund", "R-1", "4.00", refunds="LQ-1"))
    lianquan.post(client, body("refund", "R-2", "4.00", refunds="LQ-1"))
    assert amounts() == [1050, -400, -400]


def test_a_refund_may_have_the_number_of_its_donation(
    client: FlaskClient, lianquan: Partner
) -> None:
    lianquan.post(client, body("donation", "1"))
    lianquan.post(client, body("refund", "1", refunds="1"))
    lianquan.post(client, body("chargeback", "1", refunds="1"))
    lianquan.post(client, body("match", "1"))
    assert amounts() == [1050, -1050, -1050, 1050]


def test_money_that_comes_again_after_its_reversal_waits_for_a_person(
    client: FlaskClient, lianquan: Partner
) -> None:
    lianquan.post(client, body(external_id="LQ-1"))
    ledger.reverse(db.session.scalars(select(Entry)).one(), "a test gift", NOON)
    answer = lianquan.post(client, body(external_id="LQ-1"))
    assert answer.status_code == 202
    assert amounts() == [1050, -1050]
    assert verdicts()[1] is Verdict.RETURNED


def test_the_same_event_twenty_times_at_once_is_one_entry(app: Flask, lianquan: Partner) -> None:
    post = body()
    db.session.commit()

    def send(_: int) -> int:
        with app.app_context():
            return lianquan.post(app.test_client(), post, "evt").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(20)))
    assert statuses == [200] * 20
    assert (len(amounts()), len(notices())) == (1, 1)


def test_one_event_id_with_twenty_bodies_at_once_books_one(app: Flask, lianquan: Partner) -> None:
    db.session.commit()

    def send(number: int) -> int:
        with app.app_context():
            post = body(external_id=str(number))
            return lianquan.post(app.test_client(), post, "evt").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(20)))
    assert sorted(statuses) == [200] + [409] * 19
    assert (len(amounts()), len(notices())) == (1, 20)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_every_vector_behaves(app: Flask, listing: Listing, case: dict[str, Any]) -> None:
    endpoint = make.endpoint("vector", listing=listing)
    _holds(endpoint, case["secret"])
    raw = case["raw_body"].encode()
    db.session.commit()
    with app.test_request_context("/", method="POST", data=raw, headers=case["headers"]):
        answer = webhooks.answer("vector", datetime.fromtimestamp(case["verify_at"], UTC))
    assert (answer.status_code < 300) is case["expect_valid"]
    assert answer.status_code in (200, 202, 400, 401)
    assert len(notices()) == case["expect_valid"]


def _holds(endpoint: WebhookEndpoint, secret: str) -> None:
    row = make.secret(endpoint, "-")
    row.seal(settings().data_keys, secret)


def test_what_is_signed_and_not_understood_is_kept(client: FlaskClient, lianquan: Partner) -> None:
    answer = lianquan.post(client, b'{"type": "donor.renamed", "data": {}}')
    assert answer.status_code == 202
    assert (verdicts(), amounts()) == ([Verdict.NOT_UNDERSTOOD], [])
    assert db.session.scalars(select(NoticeBody)).one().content.startswith(b"{")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "10.505"},
        {"amount": "-1.00"},
        {"amount": "0.00"},
        {"amount": 10.5},
        {"amount": "1e3"},
        {"amount": None},
        {"currency": "RMB"},
        {"currency": "XXX"},
        {"external_id": ""},
        {"external_id": "x" * 129},
        {"external_id": "\ud800"},
        {"external_id": "a\u0000b"},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-11-22T12:00:00"},
        {"occurred_at": "2099-11-22T12:00:00Z"},
        {"donor": []},
        {"refunds": "LQ-1"},
    ],
    ids=str,
)
def test_malformed_money_is_refused_and_leaves_nothing(
    client: FlaskClient, lianquan: Partner, wrong: dict[str, Any]
) -> None:
    post = json.loads(body(external_id="LQ-1"))
    post["data"] |= wrong
    answer = lianquan.post(client, json.dumps(post).encode())
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.text
    assert (amounts(), notices()) == ([], [])


@pytest.mark.parametrize("raw", [b"", b"[]", b"nothing", b"\xff", b"[" * 9000, b"{}{}", b"null"])
def test_a_signed_body_that_is_no_object_is_refused(app: Flask, raw: bytes) -> None:
    lianquan = partner(make.listing())
    signed = lianquan.headers(b"", "evt")
    if raw.isascii():
        signed = lianquan.headers(raw, "evt")
    answer = app.test_client().post("/webhooks/" + lianquan.name, data=raw, headers=signed)
    assert answer.status_code in (400, 401)
    assert notices() == []


def test_an_unsigned_post_is_refused(client: FlaskClient, lianquan: Partner) -> None:
    stranger = Partner(lianquan.name, "whsec_" + "A" * 32)
    assert stranger.post(client, body()).status_code == 401
    assert client.post("/webhooks/lianquan", data=body()).status_code == 400
    assert (amounts(), notices()) == ([], [])


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_stale_post_is_refused(client: FlaskClient, lianquan: Partner, away: timedelta) -> None:
    answer = lianquan.post(client, body(), at=datetime.now(UTC) + away)
    assert answer.status_code == 400
    assert notices() == []


def test_an_unknown_endpoint_is_not_found(client: FlaskClient, lianquan: Partner) -> None:
    answer = Partner("nobody", lianquan.secret).post(client, body())
    assert (answer.status_code, answer.is_json) == (404, True)


def test_a_paused_endpoint_takes_nothing_until_it_is_resumed(
    client: FlaskClient, lianquan: Partner
) -> None:
    endpoints.pause(endpoints.named("lianquan"), NOON)
    assert lianquan.post(client, body()).status_code == 404
    assert notices() == []
    endpoints.resume(endpoints.named("lianquan"), NOON)
    assert lianquan.post(client, body()).status_code == 200


def test_a_body_that_is_too_large_is_refused_unread(client: FlaskClient, lianquan: Partner) -> None:
    answer = lianquan.post(client, b" " * (LARGEST_NOTICE + 1))
    assert answer.status_code == 413
    assert notices() == []


def test_a_body_without_a_length_is_bounded_too(client: FlaskClient, lianquan: Partner) -> None:
    endless = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    large = b" " * (LARGEST_NOTICE + 1)
    headers = lianquan.headers(large, "evt")
    answer = client.post(
        "/webhooks/lianquan", data=large, headers=headers, environ_overrides=endless
    )
    assert answer.status_code == 413


def test_a_body_of_the_largest_size_is_taken(client: FlaskClient, lianquan: Partner) -> None:
    post = body()
    assert lianquan.post(client, post.ljust(LARGEST_NOTICE)).status_code == 200


def test_both_secrets_are_good_for_a_day_after_a_rotation(app: Flask, lianquan: Partner) -> None:
    now = datetime.now(UTC)
    made = endpoints.rotate(endpoints.named("lianquan"), now)
    db.session.commit()
    rotated = Partner("lianquan", made.secret)
    for one, hours, status in (
        (lianquan, 23, 200),
        (rotated, 23, 200),
        (lianquan, 25, 401),
        (rotated, 25, 200),
    ):
        post, at = body(at=now), now + timedelta(hours=hours)
        headers = one.headers(post, f"evt-{one is rotated}-{hours}", at)
        with app.test_request_context("/", method="POST", data=post, headers=headers):
            assert webhooks.answer("lianquan", at).status_code == status


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
    assert lianquan.post(client, post, "evt").status_code == 202
    assert (amounts(), notices()[0].tries) == ([], 1)


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


def test_on_postgresql_a_plain_donation_costs_two_statements(
    client: FlaskClient, lianquan: Partner
) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no round trips to save")
    lianquan.post(client, body())
    with counted() as statements:
        assert lianquan.post(client, body(campaign_ref=_slug())).status_code == 200
    ours = [statement for statement in statements if "webhook" in statement]
    assert (len(ours), len(amounts())) == (2, 2)


def _slug() -> str:
    return db.session.scalars(select(CampaignSlug.slug)).one()
