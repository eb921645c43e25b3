"""WeChat Pay's notifications: what an event means for the ledger."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import Money
from campaigns.platforms import wechatpay
from campaigns.platforms.base import (
    BadSignature,
    Key,
    Kind,
    MalformedNotice,
    Movement,
    NoticeError,
    NotOurs,
    NotUnderstood,
    StaleNotice,
)
from campaigns.platforms.scheme import Keys
from tests import payers
from tests.make import NOON
from tests.payers import event, headers, payment, refund

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/wechatpay_v3_notify.json").read_bytes())
THEIRS = VECTORS["keys"]
VECTOR_KEYS = Keys(
    {
        "apiv3_key": [THEIRS["apiv3_key"]],
        f"key:{THEIRS['public_key_id']}": [THEIRS["wechatpay_public_key_pem"]],
        f"key:{THEIRS['platform_cert_serial_hex']}": [THEIRS["platform_cert_pem"]],
    },
    {"mchid": VECTORS["meta"]["our_mchid"], "appid": VECTORS["meta"]["our_appid"]},
)
REFUSED = {
    "reject_signature": BadSignature,
    "reject_mchid": NotOurs,
    "reject_stale": StaleNotice,
    "reject_unknown_serial": BadSignature,
    "reject_decrypt": MalformedNotice,
}
# What the vectors leave to us: the method is pinned, and its name is not signed, so that a missing
# name tells nothing. Another name is refused.
ACCEPTED = ("accept", "accept_or_reject_by_policy")
KEYS = payers.wechat_keys()
NUMBERS = ("refund_id", "out_refund_no", "transaction_id", "out_trade_no")


def verified_and_read(sent: dict[str, str], body: bytes, now: datetime) -> list[Movement]:
    wechatpay.verify(sent, body, VECTOR_KEYS, now)
    return wechatpay.movements(body, VECTOR_KEYS, now)


def read(told: object, type: str = "TRANSACTION.SUCCESS", **resource: Any) -> list[Movement]:
    body = event(told, type, **resource)
    assert wechatpay.verify(headers(body), body, KEYS, NOON) == json.loads(body)["id"]
    return wechatpay.movements(body, KEYS, NOON)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_every_vector_gets_the_verdict_it_expects(case: dict[str, Any]) -> None:
    body, now = case["raw_body"].encode(), datetime.fromtimestamp(case["verify_at"], UTC)
    action = case["expect_action"]
    if refusal := REFUSED.get(action):
        with pytest.raises(refusal):
            verified_and_read(case["headers"], body, now)
        return
    found_id = wechatpay.verify(case["headers"], body, VECTOR_KEYS, now)
    assert found_id == json.loads(case["raw_body"])["id"]
    found = wechatpay.movements(body, VECTOR_KEYS, now)
    if action == "ignore_not_paid":
        assert found == []
        return
    [movement] = found
    if action == "record_refund_partial":
        assert (movement.kind, str(movement.amount)) == (Kind.REFUND, "20.00 CNY")
        assert movement.refunds == Key("trade", "4200002026090700000000000001")
    else:
        assert action in ACCEPTED
        assert (movement.kind, str(movement.amount)) == (Kind.DONATION, "100.00 CNY")
        assert movement.passed == "spring-2026"


def test_a_payment_is_read_whole() -> None:
    [found] = read(payment("7", attach="spring-2026"))
    assert (found.kind, found.amount) == (Kind.DONATION, Money.parse("100.00 CNY"))
    assert found.keys == (Key("trade", "420007"), Key("order", "DON7"))
    assert (found.occurred_at, found.passed) == (NOON, "spring-2026")


def test_with_a_coupon_the_whole_amount_counts() -> None:
    [found] = read(payment(amount={"total": 10000, "payer_total": 9000, "currency": "CNY"}))
    assert found.amount.minor == 10_000


def test_a_refund_goes_by_both_its_numbers() -> None:
    [found] = read(refund("7", "RF1", 2000), "REFUND.SUCCESS")
    assert (found.kind, found.amount, found.cumulative) == (Kind.REFUND, Money(2000, "CNY"), False)
    assert found.keys == (Key("refund", "50000RF1"), Key("request", "RF1"))
    assert found.refunds == Key("trade", "420007")


@pytest.mark.parametrize("fen", [1, 10**14])
def test_any_amount_a_gift_can_have_is_taken(fen: int) -> None:
    [found] = read(payment(amount={"total": fen}))
    assert found.amount == Money(fen, "CNY")


def test_a_refund_may_be_of_all_there_was_and_has_a_moment_of_its_own() -> None:
    [found] = read(
        refund("7", "RF1", 10_000, success_time="2026-11-22T11:00:00+08:00"), "REFUND.SUCCESS"
    )
    assert found.amount == Money(10_000, "CNY")
    assert found.occurred_at == NOON - timedelta(hours=1)
    [found] = read(refund("7", "RF1", 1, success_time=None), "REFUND.SUCCESS")
    assert found.occurred_at == NOON  # when we began to be told, a second ahead, is cut to ours


@pytest.mark.parametrize(
    ("prefixes", "ref", "elsewhere"),
    [("", None, False), ("DON=spring", "spring", False), ("SHOP", None, True)],
)
def test_payments_and_refunds_are_placed_by_their_order(
    prefixes: str, ref: str | None, elsewhere: bool
) -> None:
    keys = payers.wechat_keys(order_prefix=prefixes)
    for body in (event(payment("7")), event(refund("7", "RF1", 1), "REFUND.SUCCESS")):
        [found] = wechatpay.movements(body, keys, NOON)
        assert (found.campaign_ref, found.elsewhere) == (ref, elsewhere)


@pytest.mark.parametrize(
    ("told", "type"),
    [
        (payment(trade_state="PAYERROR"), "TRANSACTION.FAIL"),
        (payment(), "TRANSACTION.FAIL"),
        *((payment(trade_state=s), "TRANSACTION.SUCCESS") for s in ("NOTPAY", "CLOSED", "REVOKED")),
        *((payment(trade_state=s), "TRANSACTION.SUCCESS") for s in ("USERPAYING", "PAYERROR")),
        (payment(trade_state="NOTPAY", success_time=None, amount=None), "TRANSACTION.SUCCESS"),
        (refund("7", "RF1", 1, refund_status="PROCESSING"), "REFUND.SUCCESS"),
        (refund("7", "RF1", 1, refund_status="ABNORMAL"), "REFUND.ABNORMAL"),
        (refund("7", "RF1", 1, refund_status="CLOSED"), "REFUND.CLOSED"),
        (refund("7", "RF1", 1), "REFUND.ABNORMAL"),
    ],
    ids=str,
)
def test_what_did_not_come_about_moves_no_money(told: dict[str, Any], type: str) -> None:
    assert read(told, type) == []


def test_a_payment_that_was_refunded_since_was_paid_all_the_same() -> None:
    assert len(read(payment(trade_state="REFUND"))) == 1


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2026-11-22T12:00:00+08:00", NOON),
        ("2026-11-22T04:00:00Z", NOON),
        ("2026-11-21T23:00:00-05:00", NOON),
        ("2026-11-22T12:00:00.5+08:00", NOON),  # a moment that lies ahead is cut to ours
        (None, NOON),
    ],
)
def test_moments_have_their_own_offset(stamp: str | None, moment: datetime) -> None:
    assert read(payment(success_time=stamp))[0].occurred_at == moment


def test_another_currency_stays_what_it_is() -> None:
    [found] = read(payment(amount={"total": 500, "currency": "JPY"}))
    assert found.amount == Money(500, "JPY")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": {}},
        {"amount": {"total": 0}},
        {"amount": {"total": -1}},
        {"amount": {"total": 1.5}},
        {"amount": {"total": "10000"}},
        {"amount": {"total": True}},
        {"amount": {"total": 10**14 + 1}},
        {"amount": {"total": 10**40}},
        {"amount": {"total": 1, "currency": "RMB"}},
        {"amount": {"total": 1, "currency": 7}},
        {"amount": []},
        {"transaction_id": None},
        {"transaction_id": "x" * 65},
        {"transaction_id": 42},
        {"transaction_id": "a\u0000b"},
        {"out_trade_no": None},
        {"out_trade_no": "x" * 65},
        {"success_time": "2026-11-22 12:00:00"},
        {"success_time": "2026-02-30T12:00:00+08:00"},
        {"trade_state": None},
        {"trade_state": "x" * 33},
        {"attach": 7},
        {"attach": "x" * 4097},
    ],
    ids=str,
)
def test_a_wrong_value_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedNotice):
        wechatpay.movements(event(payment(**changes)), KEYS, NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"total": 10000}},
        {"amount": {"total": 10000, "refund": 10001}},
        {"amount": {"total": 10000, "refund": 0}},
        {"amount": {"total": 0, "refund": 0}},
        {"refund_status": None},
        {"refund_status": "x" * 33},
        *({name: wrong} for name in NUMBERS for wrong in (None, "x" * 65)),
    ],
    ids=str,
)
def test_a_wrong_value_of_a_refund_is_malformed(changes: dict[str, Any]) -> None:
    body = event(refund("7", "RF1", 2000, **changes), "REFUND.SUCCESS")
    with pytest.raises(MalformedNotice):
        wechatpay.movements(body, KEYS, NOON)


@pytest.mark.parametrize("plain", [b"", b"[]", b"\xff", b'{"mchid": "1", "mchid": "2"}', b"{" * 99])
def test_sealed_nonsense_is_malformed(plain: bytes) -> None:
    with pytest.raises(MalformedNotice):
        wechatpay.movements(event(plain), KEYS, NOON)


def test_another_merchant_or_app_is_not_ours() -> None:
    for told in (payment(mchid="1900000999"), payment(appid="wx0000000000000000")):
        with pytest.raises(NotOurs):
            wechatpay.movements(event(told), KEYS, NOON)
    other = event(refund("7", "RF1", 1, mchid="1900000999"), "REFUND.SUCCESS")
    with pytest.raises(NotOurs):
        wechatpay.movements(other, KEYS, NOON)
    for told in (payment(mchid=None), payment(appid=None)):
        with pytest.raises(MalformedNotice):
            wechatpay.movements(event(told), KEYS, NOON)


def test_an_unknown_event_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        wechatpay.movements(event(payment(), "PAYSCORE.USER_PAID"), KEYS, NOON)
    with pytest.raises(MalformedNotice):
        wechatpay.movements(event(payment(), "P" * 65), KEYS, NOON)


@pytest.mark.parametrize(
    ("prefixes", "order", "ref"),
    [("", "s_", None), ("DON-=spring,X", "DON-s_", "spring"), ("x" * 64, "x" * 64, None)],
)
def test_a_sample_goes_the_way_of_a_donation(prefixes: str, order: str, ref: str | None) -> None:
    keys = payers.wechat_keys(order_prefix=prefixes)
    made = wechatpay.sample(keys, NOON)
    assert wechatpay.verify(made.headers, made.body, made.keys, NOON).startswith("sample_")
    [movement] = wechatpay.movements(made.body, made.keys, NOON)
    assert (movement.amount, movement.occurred_at) == (Money.parse("1.00 CNY"), NOON)
    assert (movement.campaign_ref, movement.elsewhere) == (ref, False)
    assert movement.keys[1].value.startswith(order)
    with pytest.raises(BadSignature):
        wechatpay.verify(made.headers, made.body, keys, NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*payment(), "attach"]), JSON),
    st.sampled_from(["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "OTHER"]),
)
def test_no_values_escape_the_family(changes: dict[str, Any], type: str) -> None:
    try:
        found = wechatpay.movements(event({**payment(), **changes}, type), KEYS, NOON)
    except NoticeError:
        return
    assert all(movement.amount.minor > 0 for movement in found)


@given(st.binary(max_size=200))
def test_no_bytes_escape_the_family(body: bytes) -> None:
    with pytest.raises(NoticeError):
        wechatpay.movements(body, KEYS, NOON)
