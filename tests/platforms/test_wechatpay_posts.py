"""WeChat Pay's posts: which keys, moments and headers hold, and what can be opened."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import wechatpay
from campaigns.platforms.base import (
    LARGEST_NOTICE,
    BadKeys,
    BadSignature,
    MalformedNotice,
    NoticeError,
    SignatureProbe,
    StaleNotice,
)
from campaigns.platforms.scheme import Keys
from tests import payers
from tests.catalogue import is_told_in_chinese
from tests.make import NOON
from tests.payers import event, headers, payment

KEYS = payers.wechat_keys()
CERTIFICATE = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_tolerated_both_ways(seconds: int) -> None:
    body = event(payment())
    assert wechatpay.verify(headers(body, NOON + timedelta(seconds=seconds)), body, KEYS, NOON)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_beyond_five_minutes_a_post_is_stale(seconds: int) -> None:
    body = event(payment())
    with pytest.raises(StaleNotice):
        wechatpay.verify(headers(body, NOON + timedelta(seconds=seconds)), body, KEYS, NOON)


def test_a_probe_is_known_as_one() -> None:
    body = event(payment())
    probe = headers(body) | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + "A" * 344}
    with pytest.raises(SignatureProbe):
        wechatpay.verify(probe, body, KEYS, NOON)


def test_several_keys_hold_together_and_each_for_its_serial() -> None:
    keys = Keys({**KEYS.secrets, f"key:{CERTIFICATE}": [payers.public_key("new")]}, KEYS.settings)
    body = event(payment())
    for serial in (CERTIFICATE, CERTIFICATE.lower()):
        assert wechatpay.verify(headers(body, key="new", Serial=serial), body, keys, NOON)
    for key, serial in (("theirs", CERTIFICATE), ("new", payers.SERIAL)):
        with pytest.raises(BadSignature):
            wechatpay.verify(headers(body, key=key, Serial=serial), body, keys, NOON)


def test_a_renewed_key_of_the_same_serial_holds_beside_the_old() -> None:
    name = f"key:{payers.SERIAL}"
    both = [payers.public_key("new"), payers.public_key()]
    keys, body = Keys({**KEYS.secrets, name: both}, KEYS.settings), event(payment())
    for key in ("new", "theirs"):
        assert wechatpay.verify(headers(body, key=key), body, keys, NOON)


def test_the_raw_bytes_are_signed() -> None:
    body = event(payment())
    again = json.dumps(json.loads(body)).encode()
    with pytest.raises(BadSignature):
        wechatpay.verify(headers(body), again, KEYS, NOON)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Timestamp", None),
        ("Timestamp", ""),
        ("Timestamp", "1e9"),
        ("Timestamp", "１７８８７８２４００"),
        ("Timestamp", "9" * 400),
        ("Timestamp", "-1"),
        ("Nonce", None),
        ("Nonce", "\u00e9\u00ff"),
        ("Nonce", "n" * 201),
        ("Nonce", "a\nb"),
        ("Serial", None),
        ("Serial", "\udce9"),
        ("Signature", None),
        ("Signature", ""),
        ("Signature", "\u4fe1"),
        ("Signature", "A" * 2049),
        ("Signature-Type", "WECHATPAY2-SM2-WITH-SM3"),
        ("Signature-Type", ""),
    ],
)
def test_a_header_out_of_form_is_malformed(name: str, value: str | None) -> None:
    body = event(payment())
    sent = {k: v for k, v in headers(body).items() if k != f"Wechatpay-{name}"}
    if value is not None:
        sent[f"Wechatpay-{name}"] = value
    with pytest.raises(MalformedNotice, match=f"(?i)wechatpay-{name}"):
        wechatpay.verify(sent, body, KEYS, NOON)


@pytest.mark.parametrize("signature", ["*", "AAAA", "=", "A" * 2048, "WECHATPAY/"])
def test_a_strange_signature_is_a_bad_one(signature: str) -> None:
    body = event(payment())
    with pytest.raises(BadSignature):
        wechatpay.verify(headers(body, Signature=signature), body, KEYS, NOON)


NONSENSE = [b"", b"[]", b"{}", b"\xff", b"[" * 9000, b'{"id": 7}', b'{"id":""}']


@pytest.mark.parametrize("body", [*NONSENSE, b'{"id":"%s"}' % (b"x" * 201)])
def test_a_signed_body_out_of_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        wechatpay.verify(headers(body), body, KEYS, NOON)


@pytest.mark.parametrize("body", [*NONSENSE, event(b"sealed nonsense")])
def test_what_cannot_be_read_is_malformed_to_whoever_reads_it(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        wechatpay.legible(body, KEYS)
    if body in NONSENSE:
        with pytest.raises(MalformedNotice):
            wechatpay.essence(body, KEYS)


def test_a_body_of_the_largest_size_is_taken() -> None:
    body = event(payment())
    body += b" " * (LARGEST_NOTICE - len(body))
    assert wechatpay.verify(headers(body), body, KEYS, NOON)


def test_an_oversized_body_is_refused() -> None:
    body = b" " * (LARGEST_NOTICE + 1)
    with pytest.raises(MalformedNotice, match="larger"):
        wechatpay.verify(headers(body), body, KEYS, NOON)


@pytest.mark.parametrize("associated", ["transaction", "", None, "x" * 64])
def test_associated_data_may_be_empty_or_missing(associated: str | None) -> None:
    body = event(payment(), associated_data=associated)
    assert len(wechatpay.movements(body, KEYS, NOON)) == 1


@pytest.mark.parametrize(
    "resource",
    [
        {"algorithm": "AEAD_SM4_GCM"},
        {"algorithm": None},
        {"nonce": "short", "ciphertext": "AAAA"},
        {"nonce": "fdasflkja484x", "ciphertext": "AAAA"},
        {"nonce": "", "ciphertext": "AAAA"},
        {"nonce": "信信信信", "ciphertext": "AAAA"},
        {"nonce": None, "ciphertext": "AAAA"},
        {"associated_data": "x" * 65},
        {"ciphertext": "*"},
        {"ciphertext": "AAAA"},
        {"ciphertext": ""},
        {"ciphertext": None},
        {"ciphertext": base64.b64encode(b"0" * 400).decode()},
        {"key": "another key of exactly 32 bytes!"},
    ],
    ids=str,
)
def test_what_cannot_be_decrypted_is_malformed(resource: dict[str, Any]) -> None:
    body = event(payment(), **resource)
    wechatpay.verify(headers(body), body, KEYS, NOON)
    with pytest.raises(MalformedNotice):
        wechatpay.movements(body, KEYS, NOON)


def test_a_sign_too_many_is_no_ciphertext() -> None:
    post = json.loads(event(payment()))
    post["resource"]["ciphertext"] += "*"
    with pytest.raises(MalformedNotice, match="base64"):
        wechatpay.movements(json.dumps(post).encode(), KEYS, NOON)


def test_associated_data_is_part_of_what_is_sealed() -> None:
    body = event(payment()).replace(b'"associated_data": "transaction"', b'"associated_data": "x"')
    with pytest.raises(MalformedNotice, match="decrypted"):
        wechatpay.movements(body, KEYS, NOON)


def test_old_and_new_apiv3_key_open_together() -> None:
    keys = Keys({**KEYS.secrets, "apiv3_key": ["x" * 32, payers.APIV3_KEY]}, KEYS.settings)
    for key in ("x" * 32, payers.APIV3_KEY):
        assert len(wechatpay.movements(event(payment(), key=key), keys, NOON)) == 1


def test_a_further_attempt_says_the_same_however_it_is_encrypted() -> None:
    told = payment("7")
    first = json.loads(event(told))
    again = {**json.loads(event(told, nonce="another12chr")), "id": first["id"]}
    other = {**json.loads(event(payment("8"))), "id": first["id"]}
    essences = [wechatpay.essence(json.dumps(one).encode(), KEYS) for one in (first, again, other)]
    assert essences[0] == essences[1] != essences[2]


def test_a_body_that_says_otherwise_outside_its_resource_is_another() -> None:
    first = json.loads(event(payment("7")))
    turned = json.dumps(dict(reversed(first.items()))).encode()
    other = json.dumps({**first, "summary": "something else"}).encode()
    essence = wechatpay.essence(json.dumps(first).encode(), KEYS)
    assert wechatpay.essence(turned, KEYS) == essence
    assert wechatpay.essence(other, KEYS) != essence


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mchid", "mchid"),
        ("appid", "2021000000000001"),
        ("apiv3_key", "0123456789"),
        ("apiv3_key", "信" * 32),
        ("key:not a serial", payers.public_key()),
        ("key:PUB_KEY_ID_1", "not a key"),
        ("key:PUB_KEY_ID_1", "-----BEGIN RSA PRIVATE KEY-----"),
        ("order_prefix", "DON-=a=b"),
    ],
)
def test_a_setting_that_cannot_be_is_named_without_its_value(setting: str, value: str) -> None:
    secret = setting.startswith(("key", "apiv3"))
    keys = Keys(
        {**KEYS.secrets, **({setting: [value]} if secret else {})},
        {**KEYS.settings, **({} if secret else {setting: value})},
    )
    with pytest.raises(BadKeys) as caught:
        wechatpay.check(keys)
    assert caught.value.setting == setting
    assert value not in str(caught.value).partition(":")[2]
    assert is_told_in_chinese(caught.value.reason)


@pytest.mark.parametrize("serial", ["PUB_KEY_ID_1", "PUB_KEY_ID_" + "0" * 34, "5157F09EFDC096DE"])
def test_a_serial_may_have_any_length(serial: str) -> None:
    wechatpay.check(Keys({**KEYS.secrets, f"key:{serial}": [payers.public_key()]}, KEYS.settings))


def test_money_comes_through_the_merchants_account() -> None:
    assert wechatpay.source(KEYS) == "wechatpay:1900000001"


def test_people_read_what_was_encrypted_in_its_place() -> None:
    told = payment("7", attach="信", amount=None)
    post = json.loads(event(told))
    shown = wechatpay.legible(json.dumps(post).encode(), KEYS)
    assert shown == {**post, "resource": told}


def test_the_answers_are_those_that_wechat_pay_reads() -> None:
    for status in (200, 202):
        taken = wechatpay.reply(status, "Booked.")
        assert (taken.status, taken.body) == (204, b"")
    refused = wechatpay.reply(401, "为何")
    assert (refused.status, refused.content_type) == (401, "application/json")
    assert refused.body.decode() == '{"code": "FAIL", "message": "为何"}'


NAMES = ["timestamp", "nonce", "serial", "signature", "signature-type"]


@given(
    st.dictionaries(
        st.sampled_from([f"Wechatpay-{name}" for name in NAMES]),
        st.text() | st.sampled_from([str(int(NOON.timestamp())), payers.SERIAL, "AAAA"]),
    ),
    st.binary(max_size=60),
)
def test_no_headers_escape_the_family(sent: dict[str, str], body: bytes) -> None:
    with pytest.raises(NoticeError):
        wechatpay.verify(sent, body, KEYS, NOON)
