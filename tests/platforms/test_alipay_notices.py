"""Alipay's notifications: what a trade's state means for the ledger."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import Money
from campaigns.platforms import alipay_notices as alipay
from campaigns.platforms.base import (
    BadSignature,
    Key,
    Kind,
    MalformedNotice,
    Movement,
    NoticeError,
    NotOurs,
    NotUnderstood,
)
from campaigns.platforms.scheme import Keys
from tests import payers
from tests.make import NOON
from tests.payers import form, trade

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/alipay_notify.json").read_bytes())
VECTOR_KEYS = Keys(
    {"public_key": [VECTORS["keys"]["alipay_public_key_pem"]]},
    {"app_id": VECTORS["meta"]["our_app_id"], "seller_id": VECTORS["meta"]["our_seller_id"]},
)
REFUSED = {
    "reject_signature": BadSignature,
    "reject_app_id": NotOurs,
    "reject_seller_id": NotOurs,
}
KEYS = payers.alipay_keys()
LATER = NOON + timedelta(days=1)


def verified_and_read(body: bytes, keys: Keys, now: datetime) -> list[Movement]:
    alipay.verify({}, body, keys, now)
    return alipay.movements(body, keys, now)


def read(told: Mapping[str, str], keys: Keys = KEYS, now: datetime = LATER) -> list[Movement]:
    """What a signed notification means."""
    body = form(told)
    assert alipay.verify({}, body, keys, now) == told["notify_id"]
    return alipay.movements(body, keys, now)


def donation(told: Mapping[str, str], keys: Keys = KEYS) -> Movement:
    [found] = read(told, keys)
    return found


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_every_vector_gets_the_verdict_it_expects(case: dict[str, Any]) -> None:
    body, now = case["raw_body_ascii"].encode(), datetime(2026, 12, 8, tzinfo=UTC)
    action = case["expect_action"]
    if refusal := REFUSED.get(action):
        with pytest.raises(refusal):
            verified_and_read(body, VECTOR_KEYS, now)
        return
    fields = case["fields_after_form_decode"]
    assert alipay.verify({}, body, VECTOR_KEYS, now) == fields["notify_id"]
    found = alipay.movements(body, VECTOR_KEYS, now)
    kinds = {
        "accept": [Kind.DONATION],
        "noop_already_recorded": [Kind.DONATION],
        "record_refund_full": [Kind.DONATION, Kind.REFUND],
        "ignore_not_paid": [],
    }
    assert [movement.kind for movement in found] == kinds[action]
    assert {movement.amount for movement in found} <= {Money.parse("100.00 CNY")}
    for movement in found[:1]:
        numbers = (Key("trade", fields["trade_no"]), Key("order", fields["out_trade_no"]))
        assert movement.keys == numbers


def test_success_and_finished_are_one_payment() -> None:
    first, again = (
        donation(trade("7", trade_status=status)) for status in ("TRADE_SUCCESS", "TRADE_FINISHED")
    )
    assert first == again
    assert first.amount == Money.parse("100.00 CNY")
    assert first.occurred_at == NOON


@pytest.mark.parametrize(
    ("changes", "so_far", "number"),
    [
        ({"refund_fee": "40.00", "out_biz_no": "RF-1"}, "40.00", "RF-1"),
        ({"refund_fee": "40", "gmt_refund": "2026-11-22 13:00:00.123"}, "40.00", "DON-7"),
        ({"trade_status": "TRADE_FINISHED", "refund_fee": "0.01"}, "0.01", "DON-7"),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "100.00"}, "100.00", "DON-7"),
        ({"trade_status": "TRADE_CLOSED"}, "100.00", "DON-7"),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "60.00"}, "100.00", "DON-7"),
        (
            {"trade_status": "TRADE_CLOSED", "refund_fee": "100", "gmt_payment": None},
            "100.00",
            "DON-7",
        ),
    ],
)
def test_a_refund_is_told_as_the_sum_so_far(
    changes: dict[str, str | None], so_far: str, number: str
) -> None:
    payment, refund = read(trade("7", **changes))
    assert (payment.kind, payment.amount) == (Kind.DONATION, Money.parse("100.00 CNY"))
    assert (refund.kind, refund.amount) == (Kind.REFUND, Money.of(so_far, "CNY"))
    assert (refund.cumulative, refund.refunds) == (True, payment.keys[0])
    assert refund.keys == (Key("request", number),)


@pytest.mark.parametrize(
    "changes",
    [
        {"trade_status": "WAIT_BUYER_PAY", "gmt_payment": None},
        {"trade_status": "WAIT_BUYER_PAY"},
        {"trade_status": "TRADE_CLOSED", "gmt_payment": None},
        {"trade_status": "TRADE_CLOSED", "gmt_payment": None, "refund_fee": "0.00"},
        {"trade_status": "TRADE_CLOSED", "gmt_payment": "", "refund_fee": ""},
    ],
    ids=str,
)
def test_what_was_never_paid_moves_no_money(changes: dict[str, str | None]) -> None:
    assert read(trade(**changes)) == []


def test_a_refund_of_nothing_is_none() -> None:
    assert len(read(trade(refund_fee="0.00"))) == 1


def test_times_are_those_of_shanghai_with_or_without_a_fraction() -> None:
    told = trade(
        gmt_payment="2026-09-07 23:59:59", refund_fee="1", gmt_refund="2026-09-08 00:00:00.5"
    )
    payment, refund = read(told)
    assert payment.occurred_at == datetime(2026, 9, 7, 15, 59, 59, tzinfo=UTC)
    assert refund.occurred_at == datetime(2026, 9, 7, 16, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({"gmt_refund": "2026-11-22 15:00:00", "gmt_close": "2026-11-22 16:00:00"}, 7),
        ({"gmt_close": "2026-11-22 16:00:00"}, 8),
        ({"notify_time": "2026-11-22 17:00:00"}, 9),
    ],
)
def test_a_refund_has_the_first_moment_that_is_stated(changes: dict[str, str], hour: int) -> None:
    refund = read(trade(refund_fee="1.00", **changes))[1]
    assert refund.occurred_at == datetime(2026, 11, 22, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({}, 4),
        ({"gmt_payment": None, "gmt_create": "2026-11-22 11:00:00"}, 3),
        ({"gmt_payment": None, "gmt_create": None, "notify_time": "2026-11-22 10:00:00"}, 2),
    ],
)
def test_a_payment_has_the_first_moment_that_is_stated(
    changes: dict[str, str | None], hour: int
) -> None:
    assert donation(trade(**changes)).occurred_at == datetime(2026, 11, 22, hour, tzinfo=UTC)


def test_money_cannot_have_moved_after_we_were_told() -> None:
    assert read(trade(), now=NOON - timedelta(hours=1))[0].occurred_at < NOON


@pytest.mark.parametrize(("text", "fen"), [("0.01", 1), ("100000000.00", 10_000_000_000)])
def test_any_amount_a_trade_can_have_is_taken(text: str, fen: int) -> None:
    assert donation(trade(total_amount=text)).amount == Money(fen, "CNY")


@pytest.mark.parametrize("text", ["20", "20.0", "20.00"])
def test_an_amount_may_have_decimals_or_not(text: str) -> None:
    assert donation(trade(total_amount=text)).amount == Money(2000, "CNY")


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": None},
        {"total_amount": ""},
        {"total_amount": "0.00"},
        {"total_amount": "-1.00"},
        {"total_amount": "1e3"},
        {"total_amount": "1,000.00"},
        {"total_amount": "１００"},
        {"total_amount": "NaN"},
        {"total_amount": "0.001"},
        {"total_amount": "100000000.01"},
        {"total_amount": "9" * 30},
        {"total_amount": " 1.00"},
        *({"refund_fee": wrong} for wrong in ("100.01", "-1", "x")),
        {"trade_no": None},
        {"trade_no": "x" * 65},
        {"trade_no": "a\x00b"},
        {"out_trade_no": None},
        {"out_trade_no": " x"},
        {"out_trade_no": "x" * 65},
        {"passback_params": "x" * 4097},
        {"trade_status": None},
        {"trade_status": "x" * 33},
        {"gmt_payment": "2026-11-22T12:00:00+08:00"},
        {"gmt_payment": "2026-02-30 12:00:00"},
        {"gmt_payment": "0001-01-01 00:00:00"},
        {"gmt_payment": "2000-01-01 07:59:59"},
        {"gmt_payment": "yesterday"},
        {"gmt_payment": None, "gmt_create": None, "notify_time": None},
        {"refund_fee": "1.00", "gmt_refund": "2026-11-22 25:00:00"},
        {"refund_fee": "1.00", "out_biz_no": "x" * 65},
    ],
    ids=str,
)
def test_a_wrong_value_is_malformed(changes: dict[str, str | None]) -> None:
    body = form(trade(**changes))
    alipay.verify({}, body, KEYS, NOON)
    with pytest.raises(MalformedNotice):
        alipay.movements(body, KEYS, NOON)


@pytest.mark.parametrize("name", ["app_id", "seller_id"])
def test_another_app_or_merchant_is_not_ours(name: str) -> None:
    body = form(trade(**{name: "2088999999999999"}))
    with pytest.raises(NotOurs, match=name):
        alipay.movements(body, KEYS, NOON)
    with pytest.raises(MalformedNotice, match=name):
        alipay.movements(form(trade(**{name: None})), KEYS, NOON)


@pytest.mark.parametrize("changes", [{"notify_type": "dut_user_sign"}, {"trade_status": "NEW"}])
def test_what_we_do_not_know_is_not_understood(changes: dict[str, str]) -> None:
    with pytest.raises(NotUnderstood):
        alipay.movements(form(trade(**changes)), KEYS, NOON)


@pytest.mark.parametrize(
    ("passed", "order", "prefixes", "ref", "elsewhere"),
    [
        (None, "DON-1", "", None, False),
        (None, "DON-1", "DON-", None, False),
        (None, "DON-1", "DON-=spring-2026,D=other", "spring-2026", False),
        (None, "SHOP-1", "DON-", None, True),
        ("spring-2026", "SHOP-1", "DON-", "spring-2026", True),
        ("campaign%3Dspring-2026%26donor_ref%3DD-7", "DON-1", "", "spring-2026", False),
    ],
)
def test_the_listing_comes_from_what_was_passed_along_or_from_the_order(
    passed: str | None, order: str, prefixes: str, ref: str | None, elsewhere: bool
) -> None:
    told = trade(passback_params=passed, out_trade_no=order)
    keys = payers.alipay_keys(order_prefix=prefixes)
    for found in read({**told, "refund_fee": "1.00"}, keys):
        assert (found.passed or found.campaign_ref, found.elsewhere) == (ref, elsewhere)


@pytest.mark.parametrize(
    ("prefixes", "order", "ref"),
    [("", "sample_", None), ("DON-=spring,X", "DON-sample_", "spring"), ("x" * 64, "x" * 64, None)],
)
def test_a_sample_goes_the_way_of_a_donation(prefixes: str, order: str, ref: str | None) -> None:
    keys = payers.alipay_keys(order_prefix=prefixes)
    made = alipay.sample(keys, NOON)
    assert made.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert alipay.verify(made.headers, made.body, made.keys, NOON).startswith("sample_")
    [movement] = alipay.movements(made.body, made.keys, NOON)
    assert (movement.amount, movement.occurred_at) == (Money.parse("1.00 CNY"), NOON)
    assert (movement.campaign_ref, movement.elsewhere) == (ref, False)
    assert movement.keys[1].value.startswith(order)
    with pytest.raises(BadSignature):
        alipay.verify(made.headers, made.body, keys, NOON)


@given(
    st.dictionaries(
        st.sampled_from([*trade(), "refund_fee", "gmt_refund", "out_biz_no", "passback_params"]),
        st.text() | st.sampled_from(["1", "TRADE_CLOSED", "2026-11-22 12:00:00.1", "%", "{}"]),
    )
)
def test_no_values_escape_the_family(changes: dict[str, str]) -> None:
    told = {**trade(), **changes, "charset": "utf-8"}
    body = "&".join(f"{name}={quote_plus(value, errors='replace')}" for name, value in told.items())
    try:
        found = alipay.movements(body.encode(), KEYS, NOON)
    except NoticeError:
        return
    assert all(movement.amount.minor > 0 for movement in found)
