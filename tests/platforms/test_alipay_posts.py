"""Alipay's posts: which signatures hold, in which charsets, and what Alipay is answered."""

from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import alipay_notices as alipay
from campaigns.platforms.base import (
    LARGEST_NOTICE,
    BadKeys,
    BadSignature,
    MalformedNotice,
    NoticeError,
)
from campaigns.platforms.scheme import Keys
from tests import payers
from tests.catalogue import is_told_in_chinese
from tests.make import NOON
from tests.payers import form, trade

KEYS = payers.alipay_keys()


def test_without_a_charset_it_is_utf_8() -> None:
    for told in (trade(charset=None), trade(charset="")):
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in told.items())
        signed = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
        body += f"&sign={quote_plus(payers.signature(signed.encode()))}"
        assert alipay.verify({}, body.encode(), KEYS, NOON) == told["notify_id"]
        assert len(alipay.movements(body.encode(), KEYS, NOON)) == 1


@pytest.mark.parametrize("charset", ["gbk", "GBK", "gb2312", "gb18030", "utf-8", "UTF-8"])
def test_a_notification_is_verified_in_its_charset(charset: str) -> None:
    told = trade(charset=charset, subject="春芽计划-乡村图书角")
    assert alipay.verify({}, form(told), KEYS, NOON) == told["notify_id"]
    assert alipay.legible(form(told), KEYS)["subject"] == "春芽计划-乡村图书角"


@pytest.mark.parametrize(
    "extra",
    [
        {"body": ""},
        {"a_name_nobody_knows": "kept"},
        {"subject": "100% 的心意 %E6 %zz + & = %2B"},
        {"body": '<b>"&quot;"</b>', "fund_bill_list": '[{"amount":"100.00"}]'},
        {"passback_params": "campaign%253Dspring"},
        {"UPPER": "1", "a": "2", "_": "3", "名": "名"},
    ],
    ids=str,
)
def test_every_parameter_is_signed_as_it_stands_after_one_decoding(extra: dict[str, str]) -> None:
    told = trade(**extra)
    assert alipay.verify({}, form(told), KEYS, NOON) == told["notify_id"]
    assert alipay.legible(form(told), KEYS).items() >= told.items()


def test_the_order_of_parameters_does_not_matter() -> None:
    told = trade()
    parts = form(told).split(b"&")
    assert alipay.verify({}, b"&".join(reversed(parts)), KEYS, NOON) == told["notify_id"]


def test_only_rsa2_is_believed() -> None:
    with pytest.raises(BadSignature):
        alipay.verify({}, form(trade(), sign_type="RSA"), KEYS, NOON)
    with pytest.raises(BadSignature):
        alipay.verify({}, form(trade()).replace(b"RSA2", b"RSA"), KEYS, NOON)
    assert alipay.verify({}, form(trade(), sign_type=None), KEYS, NOON)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"total_amount=100.00", b"total_amount=900.00"),
        (b"&total_amount=100.00", b""),
        (b"&version=1.0", b"&version=1.0&more=1"),
        (b"%E6%98%A5", b"%E6%98%A6"),
    ],
)
def test_a_changed_parameter_breaks_the_signature(old: bytes, new: bytes) -> None:
    body = form(trade())
    assert old in body
    with pytest.raises(BadSignature):
        alipay.verify({}, body.replace(old, new), KEYS, NOON)


@pytest.mark.parametrize("sign", [b"", b"*", b"AAAA", b"%E5%A5%BD", b"A" * 5000, b"%00"])
def test_a_strange_signature_is_refused(sign: bytes) -> None:
    body = form(trade()).rpartition(b"&sign=")[0] + b"&sign=" + sign
    with pytest.raises(NoticeError):
        alipay.verify({}, body, KEYS, NOON)


@pytest.mark.parametrize("sign", [b"", b"&sign="])
def test_a_post_without_a_signature_is_malformed(sign: bytes) -> None:
    body = form(trade()).rpartition(b"&sign=")[0] + sign
    with pytest.raises(MalformedNotice, match="sign"):
        alipay.verify({}, body, KEYS, NOON)


def test_a_parameter_that_stands_there_twice_is_refused() -> None:
    for more in (b"&total_amount=100.00", b"&total%5Famount=100.00", b"&sign_type=RSA2"):
        with pytest.raises(MalformedNotice, match="twice"):
            alipay.verify({}, form(trade()) + more, KEYS, NOON)


def test_a_query_of_the_address_is_no_part_of_it() -> None:
    """Only the body is looked at; a framework that merges both breaks the signature."""
    told = trade()
    assert alipay.verify({"X-Query": "a=1"}, form(told), KEYS, NOON) == told["notify_id"]


def test_two_hundred_parameters_are_read_and_no_more() -> None:
    told = trade()
    told |= {f"p{number}": "1" for number in range(198 - len(told))}  # beside sign and sign_type
    assert alipay.verify({}, form(told), KEYS, NOON) == told["notify_id"]
    with pytest.raises(MalformedNotice):
        alipay.verify({}, form({**told, "more": "1"}), KEYS, NOON)


def test_a_body_of_the_largest_size_is_read() -> None:
    text = "x" * (LARGEST_NOTICE - len("a="))
    assert alipay.legible(f"a={text}".encode(), KEYS) == {"a": text}


@pytest.mark.parametrize("body", [b"&" * 300_000, b"a=1&" * 300, b"x" * (LARGEST_NOTICE + 1)])
def test_a_body_beyond_all_measure_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        alipay.verify({}, body, KEYS, NOON)


def test_a_body_not_in_its_charset_is_malformed() -> None:
    for told in (trade(charset="latin-1", subject=""), trade(charset="big5", subject="")):
        with pytest.raises(MalformedNotice, match="charset"):
            alipay.verify({}, form(told), KEYS, NOON)
    told = trade(charset="gbk", subject="春")
    signed = "&".join(f"{k}={v}" for k, v in sorted(told.items())).replace("=gbk", "=utf-8")
    body = form(told).replace(b"charset=gbk", b"charset=utf-8").rpartition(b"&sign=")[0]
    sign = payers.signature(signed.encode("gbk")).replace("+", "%2B")
    with pytest.raises(MalformedNotice, match="charset"):
        alipay.verify({}, body + b"&sign=" + sign.encode(), KEYS, NOON)


def test_a_notification_needs_an_id() -> None:
    for wrong in (None, "", "x" * 129, "a\nb"):
        with pytest.raises(MalformedNotice, match="notify_id"):
            alipay.verify({}, form(trade(notify_id=wrong)), KEYS, NOON)


def test_old_and_new_key_hold_together() -> None:
    both = Keys({"public_key": [payers.public_key("new"), payers.public_key()]}, KEYS.settings)
    for key in ("new", "theirs"):
        assert alipay.verify({}, form(trade(), key=key), both, NOON)
    with pytest.raises(BadSignature):
        alipay.verify({}, form(trade(), key="stranger"), both, NOON)


def test_a_further_attempt_says_the_same() -> None:
    told = trade()
    later = form({**told, "notify_time": "2026-11-22 12:04:01"})
    other = form({**told, "total_amount": "900.00"})
    assert alipay.essence(form(told), KEYS) == alipay.essence(later, KEYS)
    assert alipay.essence(form(told), KEYS) != alipay.essence(other, KEYS)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("app_id", "abc"),
        ("app_id", "１" * 16),
        ("seller_id", "1900000001"),
        ("seller_id", "20880000000000010156"),
        ("order_prefix", "DON-=a=b"),
        ("order_prefix", "DON-,DON-"),
    ],
)
def test_a_setting_that_cannot_be_is_named_without_its_value(setting: str, value: str) -> None:
    with pytest.raises(BadKeys) as caught:
        alipay.check(payers.alipay_keys(**{setting: value}))
    assert caught.value.setting == setting
    assert value not in str(caught.value)
    assert is_told_in_chinese(caught.value.reason)


def test_a_public_key_that_is_none_is_named() -> None:
    with pytest.raises(BadKeys) as caught:
        alipay.check(Keys({"public_key": [payers.public_key(), "not a key"]}, KEYS.settings))
    assert caught.value.setting == "public_key"


def test_money_comes_through_the_merchants_account() -> None:
    assert alipay.source(KEYS) == "alipay:2088000000000001"


def test_the_answers_are_the_words_that_alipay_reads() -> None:
    for status in (200, 202):
        taken = alipay.reply(status, "Booked.")
        assert (taken.status, taken.content_type, taken.body) == (200, "text/plain", b"success")
    for status in (400, 401, 409, 413, 503):
        refused = alipay.reply(status, "no")
        assert (refused.status, refused.content_type, refused.body) == (
            status,
            "text/plain",
            b"fail",
        )


@given(st.binary(max_size=300))
def test_no_bytes_escape_the_family(body: bytes) -> None:
    with pytest.raises(NoticeError):
        alipay.verify({}, body, KEYS, NOON)
    with pytest.raises(NoticeError):
        alipay.movements(body, KEYS, NOON)
