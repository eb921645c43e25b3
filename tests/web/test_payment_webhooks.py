"""Alipay and WeChat Pay at the door: what they are answered, and what stands in the ledger then."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from campaigns import endpoints, intake, ledger, notices
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.listing import Listing, Rule
from campaigns.model.notice import Notice, Verdict
from campaigns.platforms.base import LARGEST_NOTICE
from campaigns.web import webhooks
from campaigns.web.refusals import Refusals
from tests import make, payers
from tests.books import totals_agree
from tests.make import NOON
from tests.payers import Alipay, WechatPay, event, form, payment, refund, trade

VECTORS = Path(__file__).parent.parent / "vectors"
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


@pytest.fixture
def campaign(app: Flask) -> Campaign:
    return make.campaign("spring-2026")


@pytest.fixture
def listing(campaign: Campaign) -> Listing:
    return make.listing(campaign, rule=Rule.ITEMISED)


@pytest.fixture
def alipay(listing: Listing) -> Alipay:
    return payers.alipay(listing)


@pytest.fixture
def wechat(listing: Listing) -> WechatPay:
    return payers.wechatpay(listing)


def amounts() -> list[int]:
    assert totals_agree()
    return list(db.session.scalars(select(Entry.amount_minor).order_by(Entry.id)))


def verdicts() -> list[Verdict]:
    return list(db.session.scalars(select(Notice.verdict).order_by(Notice.id)))


def succeeded(answer: TestResponse) -> bool:
    """Whether Alipay takes this for a success, and never something in between."""
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.data in (b"success", b"fail")
    assert (answer.data == b"success") is (answer.status_code == 200)
    return answer.status_code == 200


def taken(answer: TestResponse) -> bool:
    """Whether WeChat Pay takes this for a success, and never something in between."""
    if answer.status_code == 204:
        assert answer.data == b""
        return True
    assert answer.json
    assert (answer.json["code"], bool(answer.json["message"])) == ("FAIL", True)
    return False


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


def test_partial_refunds_book_their_difference(client: FlaskClient, alipay: Alipay) -> None:
    alipay.post(client, form(trade("7")))
    for number, so_far in enumerate(("20.00", "50.00", "50.00")):
        told = trade("7", refund_fee=so_far, out_biz_no=f"RF-{min(number, 1)}")
        assert succeeded(alipay.post(client, form(told)))
    assert amounts() == [10_000, -2_000, -3_000]
    alipay.post(client, form(trade("7", trade_status="TRADE_CLOSED", refund_fee="100.00")))
    assert amounts() == [10_000, -2_000, -3_000, -5_000]


@pytest.mark.parametrize("fee", ["100.00", None])
def test_a_trade_that_is_closed_after_payment_was_given_back_whole(
    client: FlaskClient, alipay: Alipay, fee: str | None
) -> None:
    told = trade("7", trade_status="TRADE_CLOSED", refund_fee=fee)
    assert succeeded(alipay.post(client, form(told)))
    assert succeeded(alipay.post(client, form(trade("7"))))
    assert amounts() == [10_000, -10_000]


def test_refunds_that_overtake_each_other_end_at_the_last_sum(
    client: FlaskClient, alipay: Alipay
) -> None:
    for so_far, number in (("50.00", "RF-2"), ("20.00", "RF-1"), ("60.00", "RF-3")):
        alipay.post(client, form(trade("7", refund_fee=so_far, out_biz_no=number)))
    assert amounts() == [10_000, -5_000, -1_000]
    keys = db.session.scalars(select(Entry).where(Entry.amount_minor == -5_000)).one().keys
    assert {key.value for key in keys} == {"RF-1", "RF-2"}


def test_merchants_may_number_the_refunds_of_each_order_from_one(
    client: FlaskClient, alipay: Alipay
) -> None:
    for number in ("7", "8"):
        told = trade(number, refund_fee="20.00", out_biz_no="1")
        assert succeeded(alipay.post(client, form(told)))
    assert amounts() == [10_000, -2_000, 10_000, -2_000]


def test_a_refund_that_a_person_took_back_waits_for_one(
    client: FlaskClient, alipay: Alipay
) -> None:
    told = trade("7", refund_fee="20.00", out_biz_no="RF-1")
    alipay.post(client, form(told))
    wrong = db.session.scalars(select(Entry).where(Entry.kind == EntryKind.REFUND)).one()
    ledger.reverse(wrong, "never paid out", NOON)
    assert succeeded(alipay.post(client, form({**told, "notify_id": "another"})))
    assert amounts() == [10_000, -2_000, 2_000]
    assert verdicts() == [Verdict.BOOKED, Verdict.RETURNED]


def test_a_refund_of_wechat_pay_may_come_before_its_payment(
    client: FlaskClient, wechat: WechatPay
) -> None:
    assert taken(wechat.post(client, event(refund("7", "RF1", 2_000), "REFUND.SUCCESS")))
    assert taken(wechat.post(client, event(payment("7"))))
    assert taken(wechat.post(client, event(refund("7", "RF2", 3_000), "REFUND.SUCCESS")))
    assert amounts() == [-2_000, 10_000, -3_000]


def test_a_refund_waits_for_the_donation_that_says_where_it_belongs(
    client: FlaskClient, campaign: Campaign, listing: Listing
) -> None:
    make.listing(campaign)
    wechat = payers.wechatpay(campaign)
    assert taken(wechat.post(client, event(refund("7", "RF1", 2_000), "REFUND.SUCCESS")))
    assert (amounts(), verdicts()) == ([], [Verdict.WAITING])
    assert taken(wechat.post(client, event(payment("7", attach=listing.external_id))))
    waiting = notices.due(datetime.now(UTC) + timedelta(minutes=1))
    assert waiting is not None
    intake.again(waiting, datetime.now(UTC))
    assert amounts() == [10_000, -2_000]


def test_a_refund_whose_donation_never_comes_is_left_to_a_person(
    client: FlaskClient, campaign: Campaign
) -> None:
    wechat = payers.wechatpay(campaign)
    wechat.post(client, event(refund("7", "RF1", 2_000), "REFUND.SUCCESS"))
    notice = db.session.scalars(select(Notice)).one()
    for _ in range(intake.PATIENCE):
        intake.again(notice, NOON)
    assert verdicts() == [Verdict.UNMATCHED]


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


def test_another_app_or_merchant_leaves_nothing(
    client: FlaskClient, alipay: Alipay, wechat: WechatPay
) -> None:
    for told in (trade(app_id="2021999999999999"), trade(seller_id="2088999999999999")):
        answer = alipay.post(client, form(told))
        assert (succeeded(answer), answer.status_code) == (False, 400)
    for paid in (payment(mchid="1900000999"), payment(appid="wx0000000000000000")):
        answer = wechat.post(client, event(paid))
        assert (taken(answer), answer.status_code) == (False, 400)
    assert (amounts(), verdicts()) == ([], [])


def test_an_outage_and_a_body_too_large_are_said_in_each_ones_words(
    client: FlaskClient, alipay: Alipay, wechat: WechatPay
) -> None:
    large = b" " * (LARGEST_NOTICE + 1)
    for answer in (alipay.post(client, large), wechat.post(client, large)):
        assert answer.status_code == 413
    assert not succeeded(alipay.post(client, large))
    assert not taken(wechat.post(client, large))
    db.session.execute(update(WebhookEndpoint).values(settings={"app_id": payers.APP}))
    db.session.commit()
    assert alipay.post(client, form(trade())).status_code == 400


def test_a_probe_is_refused_without_a_word_in_the_log(
    client: FlaskClient, wechat: WechatPay, caplog: pytest.LogCaptureFixture
) -> None:
    probe = {**payers.headers(b"{}"), "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + "A" * 344}
    with caplog.at_level(logging.INFO):
        answer = client.post("/webhooks/wechat-1", data=b"{}", headers=probe)
    assert (taken(answer), answer.status_code) == (False, 401)
    assert "wechat-1" not in caplog.text
    assert endpoints.named("wechat-1").refused == 0


def test_refused_posts_are_counted_and_told_of_once_a_minute(
    app: Flask,
    alipay: Alipay,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.extensions, "refusals", Refusals())
    bad, at = form(trade(), key="stranger"), datetime.now(UTC)
    with caplog.at_level(logging.INFO, logger="campaigns.web.refusals"):
        for second in (0, 1, 2, 59, 61):
            with app.test_request_context("/", method="POST", data=bad):
                webhooks.answer("alipay-1", at + timedelta(seconds=second))
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"{number} posts to alipay-1 were not taken: BadSignature." for number in (1, 4)
    ]
    db.session.expire_all()
    endpoint = endpoints.named("alipay-1")
    assert (endpoint.refused, endpoint.refused_for) == (5, "BadSignature")


def test_a_refused_post_does_not_wait_for_who_is_writing(
    client: FlaskClient, alipay: Alipay
) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no lock of the whole database")
    alipay.post(client, form(trade(), key="stranger"))  # so that this minute's line is written
    db.session.commit()
    with db.engine.connect() as other:
        other.execute(update(WebhookEndpoint).values(source="held"))
        started = datetime.now(UTC)
        answer = alipay.post(client, form(trade(), key="stranger"))
        assert datetime.now(UTC) - started < timedelta(seconds=2)
    assert answer.status_code == 401


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


def test_refunds_that_are_told_of_at_once_are_booked_once(app: Flask, alipay: Alipay) -> None:
    sums = ["20.00", "50.00", "70.00", "50.00", "70.00", "20.00"] * 2
    bodies = [form(trade("7", refund_fee=so_far)) for so_far in sums]
    db.session.commit()

    def send(body: bytes) -> bool:
        with app.app_context():
            return succeeded(alipay.post(app.test_client(), body))

    with ThreadPoolExecutor(len(bodies)) as pool:
        assert all(pool.map(send, bodies))
    assert sum(amounts()) == 3_000
    assert set(verdicts()) == {Verdict.BOOKED}
