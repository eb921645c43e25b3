"""Standard Webhooks: which posts, signatures and secrets hold."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from campaigns.platforms import standard
from campaigns.platforms.base import (
    LARGEST_NOTICE,
    BadKeys,
    BadSignature,
    MalformedNotice,
    PlatformError,
    StaleNotice,
)
from campaigns.platforms.scheme import Keys
from tests.catalogue import is_told_in_chinese

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/standard_webhooks.json").read_bytes())
CASES: list[dict[str, Any]] = VECTORS["cases"]
NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def keyring(*secrets: str) -> Keys:
    return Keys(secrets={"secret": secrets})


KEYS = keyring(SECRET)
CONDITIONS = {
    "06_only_unknown_version": BadSignature,
    "08_tampered_body": BadSignature,
    "09_tampered_id": BadSignature,
    "11_too_old": StaleNotice,
    "13_too_new": StaleNotice,
    "14_missing_id": MalformedNotice,
    "15_missing_timestamp": MalformedNotice,
    "16_missing_signature": MalformedNotice,
    "17_timestamp_not_a_number": MalformedNotice,
    "22_wrong_secret": BadSignature,
}


def signed(body: bytes, *, at: datetime = NOON, secret: str = SECRET, id: str = "msg_1") -> Any:
    """Headers as the specification's own library makes them; it signs text, so ASCII bodies."""
    signature = Webhook(secret).sign(id, at, body.decode("latin-1"))
    stamp = str(int(at.timestamp()))
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_vector_behaves_with_its_moment_as_the_clock(case: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(case["verify_at"], UTC)
    keys, body = keyring(case["secret"]), case["raw_body"].encode()
    if case["expect_valid"]:
        assert standard.verify(case["headers"], body, keys, now) == case["headers"]["webhook-id"]
    else:
        with pytest.raises(CONDITIONS[case["name"]]):
            standard.verify(case["headers"], body, keys, now)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_are_tolerated_at_both_ends(seconds: int) -> None:
    headers = signed(b"{}")
    assert standard.verify(headers, b"{}", KEYS, NOON + timedelta(seconds=seconds)) == "msg_1"


@pytest.mark.parametrize("seconds", [-300.5, 300.5, 301, -301])
def test_half_a_second_more_is_stale(seconds: float) -> None:
    with pytest.raises(StaleNotice):
        standard.verify(signed(b"{}"), b"{}", KEYS, NOON + timedelta(seconds=seconds))


def test_an_entry_without_a_comma_is_passed_over() -> None:
    headers = signed(b"{}")
    headers["webhook-signature"] = "nonsense , v1 v1a,xyz " + headers["webhook-signature"]
    assert standard.verify(headers, b"{}", KEYS, NOON) == "msg_1"


def test_either_secret_verifies_while_they_rotate() -> None:
    both = keyring(OTHER, SECRET)
    assert standard.verify(signed(b"{}"), b"{}", both, NOON) == "msg_1"
    assert standard.verify(signed(b"{}", secret=OTHER), b"{}", both, NOON) == "msg_1"


def test_the_names_of_headers_may_be_written_in_any_case() -> None:
    shouted = {name.upper(): value for name, value in signed(b"{}").items()}
    assert standard.verify(shouted, b"{}", KEYS, NOON) == "msg_1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-timestamp", "1788782400.5"),
        ("webhook-timestamp", "+1788782400"),
        ("webhook-timestamp", " 1788782400"),
        ("webhook-timestamp", "1788782400\n"),
        ("webhook-timestamp", "１７８８７８２４００"),
        ("webhook-timestamp", "9" * 4000),
        ("webhook-timestamp", ""),
        ("webhook-id", "msg.1"),
        ("webhook-id", "msg\x001"),
        ("webhook-id", "m" * 201),
        ("webhook-id", "信"),
        ("webhook-id", ""),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,A " * 1000),
    ],
)
def test_a_header_out_of_form_is_malformed(name: str, value: str) -> None:
    with pytest.raises(MalformedNotice, match=name):
        standard.verify({**signed(b"{}"), name: value}, b"{}", KEYS, NOON)


@pytest.mark.parametrize("entry", ["v1,é", "v1,\udcff", "v1,", "v1", ",", "v1a,AAAA", "V1,AAAA"])
def test_a_strange_signature_is_a_bad_one(entry: str) -> None:
    with pytest.raises(BadSignature):
        standard.verify({**signed(b"{}"), "webhook-signature": entry}, b"{}", KEYS, NOON)


def test_many_signatures_may_be_offered_up_to_a_length() -> None:
    headers = signed(b"{}")
    headers["webhook-signature"] = headers["webhook-signature"].rjust(4096)
    assert standard.verify(headers, b"{}", KEYS, NOON) == "msg_1"
    headers["webhook-signature"] = headers["webhook-signature"].rjust(4097)
    with pytest.raises(MalformedNotice, match="webhook-signature"):
        standard.verify(headers, b"{}", KEYS, NOON)


def test_an_oversized_body_is_refused() -> None:
    body = b" " * (LARGEST_NOTICE + 1)
    with pytest.raises(MalformedNotice, match="larger"):
        standard.verify(signed(body), body, KEYS, NOON)


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_",
        "",
        "whsec_AAAA",
        "whsec_*",
        SECRET.replace("_", "_*"),
        "whsec_" + "A" * 87 + "=",
        "whsec_" + "A" * 88,
    ],
)
def test_a_secret_too_weak_to_mean_anything_is_refused_and_verifies_nothing(secret: str) -> None:
    weak = keyring(secret)
    with pytest.raises(BadKeys) as caught:
        standard.check(weak)
    assert caught.value.setting == "secret"
    assert is_told_in_chinese(caught.value.reason)
    with pytest.raises(BadSignature):
        standard.verify(signed(b"{}"), b"{}", weak, NOON)


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_of_the_smallest_and_the_largest_size_signs(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    standard.check(keyring(secret))
    headers = signed(b"{}", secret=secret)
    assert standard.verify(headers, b"{}", keyring(secret), NOON) == "msg_1"


def test_a_damaged_secret_does_not_stand_in_the_way_of_another() -> None:
    assert standard.verify(signed(b"{}"), b"{}", keyring("whsec_*", SECRET), NOON) == "msg_1"


def test_a_body_of_the_largest_size_is_taken() -> None:
    body = b"{}" + b" " * (LARGEST_NOTICE - 2)
    assert standard.verify(signed(body), body, KEYS, NOON) == "msg_1"


def test_a_signature_with_more_commas_than_one_is_another_signature() -> None:
    headers = signed(b"{}")
    headers["webhook-signature"] = "v1," + headers["webhook-signature"]
    with pytest.raises(BadSignature):
        standard.verify(headers, b"{}", KEYS, NOON)


def test_a_new_secret_passes_the_check_and_signs() -> None:
    keys = keyring(standard.new_secret())
    standard.check(keys)
    assert (
        standard.verify(signed(b"{}", secret=keys.valid("secret")[0]), b"{}", keys, NOON) == "msg_1"
    )
    assert standard.new_secret() not in keys.valid("secret")


def test_keys_do_not_show_in_a_traceback() -> None:
    assert SECRET not in repr(KEYS)


HEADERS = st.dictionaries(
    st.sampled_from(["webhook-id", "Webhook-Timestamp", "webhook-signature", "webhook-ID", "x"]),
    st.text() | st.just("1788782400") | st.just("v1,x"),
)


@given(HEADERS, st.binary(max_size=50), st.lists(st.text() | st.just(SECRET), max_size=3))
def test_no_headers_escape_the_family(h: dict[str, str], body: bytes, secrets: list[str]) -> None:
    with pytest.raises(PlatformError):
        standard.verify(h, body, keyring(*secrets), NOON)


def test_the_reply_says_why() -> None:
    reply = standard.reply(400, "data.amount 是空的。")
    assert reply.body.decode() == '{"ok": false, "reason": "data.amount 是空的。"}'
    assert (reply.status, reply.content_type) == (400, "application/json")
