"""The webhook door: what is taken, what is refused and why, and that nothing is booked twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import ledger
from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import NoticeBody, Verdict
from campaigns.web import webhooks
from config import settings
from tests import make
from tests.books import amounts, notices, verdicts
from tests.make import NOON
from tests.partner import Partner, body
from tests.statements import counted

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "standard_webhooks.json").read_text("utf-8")
)["cases"]


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
    about = select(Entry.regards).order_by(Entry.id)
    assert list(db.session.scalars(about)) == ["trade:LQ-1", None]


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
    row.seal(settings().data_keys, secret.encode())


def test_what_is_signed_and_not_understood_is_kept(client: FlaskClient, lianquan: Partner) -> None:
    answer = lianquan.post(client, b'{"type": "donor.renamed", "data": {}}')
    assert answer.status_code == 202
    assert (verdicts(), amounts()) == ([Verdict.NOT_UNDERSTOOD], [])
    assert db.session.scalars(select(NoticeBody)).one().content.startswith(b"{")


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
