"""Standard Webhooks: which bodies are understood, and what they mean for the ledger."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.money import Money
from campaigns.platforms import standard
from campaigns.platforms.base import (
    LARGEST_AMOUNT,
    Giver,
    Key,
    Kind,
    MalformedNotice,
    NoticeError,
    NotUnderstood,
)
from campaigns.platforms.scheme import Keys

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/standard_webhooks.json").read_bytes())
CASES: list[dict[str, Any]] = VECTORS["cases"]
NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
KEYS = Keys({"secret": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]})


def donation(**changes: Any) -> dict[str, Any]:
    data = {"external_id": "LQ-1", "amount": "100.00", "currency": "CNY", **changes}
    return {"type": "donation.succeeded", "timestamp": "2026-09-07T10:00:10+08:00", "data": data}


def read(post: object, now: datetime = NOON) -> Any:
    body = post if isinstance(post, bytes) else json.dumps(post).encode()
    [movement] = standard.movements(body, KEYS, now)
    return movement


def test_the_vectors_donation_is_read_even_by_a_clock_that_is_behind() -> None:
    [case] = [case for case in CASES if case["name"] == "02_utf8_donation_body"]
    now = datetime.fromtimestamp(case["verify_at"], UTC)
    movement = read(case["raw_body"].encode(), now)
    assert (movement.amount, movement.donor.name) == (Money.parse("100.00 CNY"), "爱心网友")
    assert movement.occurred_at == now


def test_a_body_without_a_type_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        read({"test": 2432232314})


@pytest.mark.parametrize("amount", ["0.01", Money(LARGEST_AMOUNT, "CNY").amount])
def test_the_smallest_and_the_largest_gift_are_gifts(amount: str) -> None:
    assert read(donation(amount=amount)).amount.amount == amount


def test_more_than_the_largest_gift_is_refused() -> None:
    with pytest.raises(MalformedNotice, match="amount"):
        read(donation(amount=Money(LARGEST_AMOUNT + 1, "CNY").amount))


def test_a_donation_is_read_whole() -> None:
    donor: dict[str, object] = {"name": " 林 \u202eada\x00 ", "email": "ada@example.org"}
    donor |= {"locale": "zh-Hans", "public_name": True, "updates": True, "telephone": ["ignored"]}
    movement = read(
        donation(
            campaign_ref="spring-2026",
            occurred_at="2026-09-07T09:59:00+08:00",
            donor=donor,
            message="加油\r\n!",
            extra={"ignored": 1.5},
        )
    )
    assert movement.kind is Kind.DONATION
    assert movement.amount == Money(10000, "CNY")
    assert movement.occurred_at == datetime(2026, 9, 7, 1, 59, tzinfo=UTC)
    assert movement.keys == (Key("trade", "LQ-1"),)
    assert movement.donor == Giver("林 ada", "ada@example.org", "zh-Hans", True, True)
    assert (movement.campaign_ref, movement.message) == ("spring-2026", "加油\n!")


def test_what_is_left_out_is_unknown_and_private() -> None:
    movement = read(donation(donor={"email": None, "name": ""}, message=None, refunds=None))
    assert movement.donor == Giver()
    assert movement.message is movement.campaign_ref is movement.refunds is None
    assert movement.occurred_at == datetime(2026, 9, 7, 2, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type", "kind", "scheme"),
    [
        ("donation.refunded", Kind.REFUND, "refund"),
        ("donation.charged_back", Kind.CHARGEBACK, "chargeback"),
    ],
)
def test_money_that_goes_back_names_its_donation(type: str, kind: Kind, scheme: str) -> None:
    movement = read({**donation(external_id="R-1", refunds="LQ-1"), "type": type})
    assert (movement.kind, movement.keys) == (kind, (Key(scheme, "R-1"),))
    assert movement.refunds == Key("trade", "LQ-1")
    assert movement.amount == Money(10000, "CNY")


def test_money_that_goes_back_names_it_by_no_longer_number_than_it_had() -> None:
    post = {**donation(refunds="x" * 128), "type": "donation.refunded"}
    assert read(post).refunds == Key("trade", "x" * 128)
    with pytest.raises(MalformedNotice, match=r"data\.refunds"):
        read({**donation(refunds="x" * 129), "type": "donation.refunded"})


def test_a_day_ahead_of_the_notice_is_no_mistake_of_the_zone() -> None:
    late = {"occurred_at": "2026-09-08T10:00:10+08:00"}
    assert read(donation(**late)).occurred_at == NOON
    with pytest.raises(MalformedNotice, match=r"data\.occurred_at"):
        read(donation(occurred_at="2026-09-08T10:00:11+08:00"))


def test_a_match_is_numbered_apart_from_donations() -> None:
    movement = read({**donation(), "type": "match.confirmed"})
    assert (movement.kind, movement.keys) == (Kind.MATCH, (Key("match", "LQ-1"),))


def test_a_currency_without_decimals_is_counted_in_its_own_unit() -> None:
    assert read(donation(amount="500", currency="JPY")).amount == Money(500, "JPY")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", None),
        ("external_id", 17),
        ("external_id", " LQ-1"),
        ("external_id", "LQ\x001"),
        ("external_id", "LQ\ud8001"),
        ("external_id", "x" * 129),
        ("amount", None),
        ("amount", 100),
        ("amount", 100.0),
        ("amount", "0.00"),
        ("amount", "-1.00"),
        ("amount", "1e3"),
        ("amount", "1,000.00"),
        ("amount", "１００"),
        ("amount", "0.001"),
        ("amount", "9" * 30),
        ("amount", True),
        ("currency", None),
        ("currency", "cny"),
        ("currency", "XXX"),
        ("currency", "RMBX"),
        ("occurred_at", "2026-09-07T10:00:10"),
        ("occurred_at", "2026-09-07"),
        ("occurred_at", 1788746410),
        ("occurred_at", "2026-02-30T10:00:10Z"),
        ("occurred_at", "0001-01-01T00:00:00+14:00"),
        ("occurred_at", "9999-12-31T23:59:59-14:00"),
        ("occurred_at", "2026-09-09T10:00:10+08:00"),
        ("refunds", "LQ-0"),
        ("campaign_ref", ["spring-2026"]),
        ("campaign_ref", "x" * 201),
        ("donor", "Ada"),
        ("donor", {"name": 7}),
        ("donor", {"public_name": "yes"}),
        ("donor", {"public_name": 1}),
        ("donor", {"updates": "false"}),
        ("donor", {"locale": "zh Hans"}),
        ("donor", {"locale": "en-abcdefgh-abcde"}),
        ("donor", {"name": "x" * 201}),
        ("donor", {"email": "x" * 321}),
        ("message", {"text": "hello"}),
        ("message", "x" * 1001),
        ("message", "\udfff"),
    ],
)
def test_a_wrong_value_is_malformed_and_named(field: str, value: object) -> None:
    with pytest.raises(MalformedNotice, match=rf": data\.{field}"):
        read(donation(**{field: value}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe{}",
        b'{"type": "donation.succeeded", "type": "donation.refunded"}',
        b'{"type": NaN}',
        b'{"type": -Infinity}',
        b'{"type": 1}',
        b'{"type": "%s"}' % (b"x" * 101),
        b'{"type": "donation.succeeded", "data": {}}',
        b'{"type": "donation.succeeded", "timestamp": "2026-09-07T10:00:10Z"}',
        b'{"type": "donation.succeeded", "timestamp": "2026-09-07T10:00:10Z", "data": []}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        "{}".encode("utf-16"),
    ],
)
def test_a_body_out_of_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        read(body)


def test_people_read_the_whole_post() -> None:
    post = donation(message="加油", extra={"kept": "too"})
    assert standard.legible(json.dumps(post).encode(), KEYS) == post
    with pytest.raises(MalformedNotice):
        standard.legible(b"[]", KEYS)


def test_a_sample_goes_the_way_of_a_donation() -> None:
    made = standard.sample(KEYS, NOON)
    event_id = standard.verify(made.headers, made.body, made.keys, NOON)
    [movement] = standard.movements(made.body, made.keys, NOON)
    assert event_id.startswith("sample_")
    assert movement.keys == (Key("trade", event_id),)
    assert (movement.kind, movement.amount) == (Kind.DONATION, Money.parse("1.00 CNY"))
    assert movement.occurred_at == NOON
    assert standard.verify(made.headers, made.body, KEYS, NOON)


def test_numbers_that_no_machine_holds_do_no_harm() -> None:
    body = json.dumps(donation())[:-1] + ', "a": ' + "9" * 5000 + ', "b": 1e99999999999999999999}'
    assert read(body.encode()).amount == Money(10000, "CNY")


def test_an_unknown_type_is_not_understood_whatever_else_it_holds() -> None:
    with pytest.raises(NotUnderstood, match=r"donation\.pondered"):
        read({"type": "donation.pondered", "data": 5})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = [*donation()["data"], "occurred_at", "refunds", "campaign_ref", "donor", "message"]
DONORS = st.dictionaries(st.sampled_from(["name", "email", "locale", "updates"]), JSON)


@given(st.dictionaries(st.sampled_from(NAMES), JSON | DONORS), st.text() | st.just("2026-09-07Z"))
def test_no_values_escape_the_family(changes: dict[str, Any], stamp: str) -> None:
    try:
        movement = read({**donation(**changes), "timestamp": stamp})
    except NoticeError:
        return
    assert movement.amount.minor > 0


@given(st.binary(max_size=200))
def test_no_bytes_escape_the_family(body: bytes) -> None:
    with pytest.raises(NoticeError):
        standard.movements(body, KEYS, NOON)
