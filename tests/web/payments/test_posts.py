"""Alipay and WeChat Pay at the door: what they are answered, and what stands in the ledger then."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import Verdict
from campaigns.web import webhooks
from tests import make, payers
from tests.books import amounts, verdicts
from tests.payers import Alipay, WechatPay, event, form, payment, succeeded, taken, trade

VECTORS = Path(__file__).parents[2] / "vectors"
ALIPAY = json.loads((VECTORS / "alipay_notify.json").read_bytes())
WECHAT = json.loads((VECTORS / "wechatpay_v3_notify.json").read_bytes())
BOOKS = {
    "accept": [10_000],
    "accept_or_reject_by_policy": [10_000],
    "noop_already_recorded": [10_000],
    "record_refund_full": [10_000, -10_000],
    "record_refund_partial": [-2_000],
    "ignore_not_paid": [],
}


@pytest.mark.parametrize("case", ALIPAY["cases"], ids=lambda case: case["name"])
def test_every_vector_of_alipay_ends_as_it_expects(
    client: FlaskClient, listing: Listing, case: dict[str, Any]
) -> None:
    ids = {"app_id": ALIPAY["meta"]["our_app_id"], "seller_id": ALIPAY["meta"]["our_seller_id"]}
    bare = "".join(ALIPAY["keys"]["alipay_public_key_pem"].splitlines()[1:-1])
    vector = payers.alipay(listing, public_key=bare, **ids)
    body = case["raw_body_ascii"].encode()
    for _ in range(2):
        answer = vector.post(client, body)
        assert succeeded(answer) is (case["expect_action"] in BOOKS)
        assert answer.status_code < 500
    assert amounts() == BOOKS.get(case["expect_action"], [])
    assert len(verdicts()) == (case["expect_action"] in BOOKS)


@pytest.mark.parametrize("case", WECHAT["cases"], ids=lambda case: case["name"])
def test_every_vector_of_wechat_pay_ends_as_it_expects(
    app: Flask, listing: Listing, case: dict[str, Any]
) -> None:
    keys, raw = WECHAT["keys"], case["raw_body"].encode()
    given = {f"key:{keys['public_key_id']}": keys["wechatpay_public_key_pem"]}
    given[f"key:{keys['platform_cert_serial_hex'].lower()}"] = keys["platform_cert_pem"]
    payers.wechatpay(listing, apiv3_key=keys["apiv3_key"], **given)
    for _ in range(2):
        with app.test_request_context("/", method="POST", data=raw, headers=case["headers"]):
            answer = webhooks.answer("wechat-1", datetime.fromtimestamp(case["verify_at"], UTC))
        assert (answer.status_code == 204) is (case["expect_action"] in BOOKS)
        assert answer.status_code < 500
    assert amounts() == BOOKS.get(case["expect_action"], [])
    assert len(verdicts()) == (case["expect_action"] in BOOKS)


def test_money_is_booked_under_the_account_it_came_through(
    client: FlaskClient, alipay: Alipay, wechat: WechatPay
) -> None:
    assert succeeded(alipay.post(client, form(trade("7"))))
    assert taken(wechat.post(client, event(payment("7"))))
    entries = db.session.scalars(select(Entry).order_by(Entry.id)).all()
    assert [entry.source for entry in entries] == [
        "alipay:2088000000000001",
        "wechatpay:1900000001",
    ]
    numbers = [{(key.scheme, key.value) for key in entry.keys} for entry in entries]
    assert numbers == [
        {("trade", "202611227"), ("order", "DON-7")},
        {("trade", "420007"), ("order", "DON7")},
    ]


def test_a_query_in_the_address_is_no_part_of_what_was_signed(
    client: FlaskClient, alipay: Alipay
) -> None:
    headers = {"Content-Type": alipay.content_type}
    for number, query in enumerate(("?total_amount=9", "?a=1&sign=x")):
        body = form(trade(str(number)))
        assert succeeded(client.post(f"/webhooks/alipay-1{query}", data=body, headers=headers))
    assert amounts() == [10_000, 10_000]


def test_success_then_finished_then_again_is_one_donation(
    client: FlaskClient, alipay: Alipay
) -> None:
    for status in ("TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_SUCCESS"):
        assert succeeded(alipay.post(client, form(trade("7", trade_status=status))))
    assert amounts() == [10_000]
    assert verdicts() == [Verdict.BOOKED] * 3


def test_a_further_attempt_at_another_moment_is_the_same_notice(
    client: FlaskClient, alipay: Alipay
) -> None:
    told = trade("7")
    for minute in ("00", "04", "14"):
        sent = {**told, "notify_time": f"2026-11-22 12:{minute}:01"}
        assert succeeded(alipay.post(client, form(sent)))
    assert (amounts(), verdicts()) == ([10_000], [Verdict.BOOKED])


def test_a_notice_used_again_for_another_amount_is_refused_and_kept(
    client: FlaskClient, alipay: Alipay, wechat: WechatPay
) -> None:
    told = trade("7")
    assert succeeded(alipay.post(client, form(told)))
    other = alipay.post(client, form({**told, "total_amount": "900.00"}))
    assert (succeeded(other), other.status_code) == (False, 409)
    assert succeeded(alipay.post(client, form(told)))
    first, second = json.loads(event(payment("8"))), json.loads(event(payment("9")))
    assert taken(wechat.post(client, json.dumps(first).encode()))
    again = wechat.post(client, json.dumps({**second, "id": first["id"]}).encode())
    assert (taken(again), again.status_code) == (False, 409)
    assert amounts() == [10_000, 10_000]
    assert sorted(verdicts()) == [Verdict.BOOKED] * 2 + [Verdict.CONFLICT] * 2


@pytest.mark.parametrize(
    "told",
    [
        trade(trade_status="WAIT_BUYER_PAY", gmt_payment=None),
        trade(trade_status="TRADE_CLOSED", gmt_payment=None),
    ],
)
def test_what_tells_of_no_money_is_kept_and_thanked_for(
    client: FlaskClient, alipay: Alipay, told: dict[str, str]
) -> None:
    for _ in range(2):
        assert succeeded(alipay.post(client, form(told)))
    assert (amounts(), verdicts()) == ([], [Verdict.NOTHING])


def test_what_is_not_understood_is_kept(
    client: FlaskClient, alipay: Alipay, wechat: WechatPay
) -> None:
    assert succeeded(alipay.post(client, form(trade(notify_type="dut_user_sign"))))
    assert taken(wechat.post(client, event(payment(), "PAYSCORE.USER_PAID")))
    assert verdicts() == [Verdict.NOT_UNDERSTOOD] * 2


@pytest.mark.parametrize(
    ("passed", "order", "verdict"),
    [
        (None, "DON-1", Verdict.BOOKED),
        ("spring-2026", "SHOP-1", Verdict.BOOKED),
        (None, "SHOP-1", Verdict.UNMATCHED),
        ("autumn-2026", "DON-1", Verdict.UNMATCHED),
        ("desks for all", "DON-1", Verdict.BOOKED),
        ("desks", "DON-1", Verdict.BOOKED),
        ("desks", "SHOP-1", Verdict.UNMATCHED),
    ],
)
def test_prefixes_tell_donations_from_what_the_shop_sells(
    client: FlaskClient, listing: Listing, passed: str | None, order: str, verdict: Verdict
) -> None:
    make.listing(make.campaign("autumn-2026"))
    alipay = payers.alipay(listing, order_prefix="DON-")
    told = trade(out_trade_no=order, passback_params=passed)
    assert succeeded(alipay.post(client, form(told)))
    assert verdicts() == [verdict]
    assert len(amounts()) == (verdict is Verdict.BOOKED)


def test_a_prefix_may_name_the_listing(
    client: FlaskClient, campaign: Campaign, listing: Listing
) -> None:
    other = make.listing(campaign)
    alipay = payers.alipay(
        campaign, order_prefix=f"A-={other.external_id},B-={listing.external_id}"
    )
    for number, order in enumerate(("A-1", "B-1", "A-2")):
        alipay.post(client, form(trade(str(number), out_trade_no=order)))
    placed = db.session.scalars(select(Entry.listing_id).order_by(Entry.id)).all()
    assert placed == [other.id, listing.id, other.id]


@pytest.mark.parametrize("payer", ["alipay", "wechat"])
def test_the_same_event_twenty_times_at_once_is_one_entry(
    app: Flask, payer: str, request: pytest.FixtureRequest
) -> None:
    post = request.getfixturevalue(payer).post
    body = form(trade("7")) if payer == "alipay" else event(payment("7"))
    db.session.commit()

    def send(_: int) -> int:
        with app.app_context():
            return int(post(app.test_client(), body).status_code)

    with ThreadPoolExecutor(20) as pool:
        statuses = set(pool.map(send, range(20)))
    assert statuses == ({200} if payer == "alipay" else {204})
    assert (amounts(), verdicts()) == ([10_000], [Verdict.BOOKED])
