"""Whatever anybody posts to the webhook door: no 5xx, and nothing kept of what nobody signed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from flask.testing import FlaskClient
from hypothesis import strategies as st
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.notice import Notice
from tests import make, partner, payers
from tests.partner import Partner

Sent = tuple[bytes, dict[str, str]]
SCHEMES = ("standard", "alipay", "wechatpay")
SUPPRESS = [hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow]
# Posts for each scheme: in every run, and by the judge (more than a hundred thousand in all).
SHARE, UNSIGNED, SIGNED = 150, 25_000, 10_000
# What the server passes on to us: bytes of headers read as Latin-1, without ends of lines.
HEADER = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def share(number: int) -> Callable[[Any], Any]:
    return hypothesis.settings(
        max_examples=number, database=None, deadline=None, suppress_health_check=SUPPRESS
    )


def genuine(scheme: str, key: str) -> Sent:
    """A post in the form that is agreed; signed by a stranger unless `key` is theirs."""
    if scheme == "standard":
        secret = "whsec_" + "A" * 32
        body = partner.body(external_id="LQ-1")
        return body, Partner("x", secret).headers(body, "evt-1")
    if scheme == "alipay":
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return payers.form(payers.trade("1"), key=key), headers
    body = payers.event(payers.payment("1"))
    return body, payers.headers(body, datetime.now(UTC), key=key)


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest, app: object) -> str:
    """One of the schemes, with an endpoint of its name to post to."""
    listing, name = make.listing(), str(request.param)
    if name == "standard":
        partner.partner(listing, name)
    else:
        {"alipay": payers.alipay, "wechatpay": payers.wechatpay}[name](listing, name)
    return name


@st.composite
def damaged(draw: st.DrawFn, body: bytes, headers: dict[str, str]) -> Sent:
    """A post of which anything may be missing, changed or doubled."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        body = draw(st.binary(max_size=400))
    elif kind == 1:
        begin, end = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        body = body[:begin] + draw(st.binary(max_size=40)) + body[end:]
    elif kind == 2:
        body = json.dumps(draw(JSON)).encode()
    headers = dict(headers)
    for name in draw(st.lists(st.sampled_from(sorted(headers)), max_size=3)):
        headers.pop(name, None)
        if draw(st.booleans()):
            headers[name] = draw(HEADER | st.sampled_from(["0", "9" * 30, "AAAA", "WECHATPAY/"]))
    return body, headers


def unsigned(scheme: str, client: FlaskClient, examples: int) -> None:
    body, headers = genuine(scheme, "stranger")

    @share(examples)
    @hypothesis.given(damaged(body, headers))
    def posted(sent: Sent) -> None:
        answer = client.post(f"/webhooks/{scheme}", data=sent[0], headers=sent[1])
        assert 400 <= answer.status_code < 500
        assert answer.data not in (b"", b"success")

    posted()
    for noun in (Notice, Entry):
        assert db.session.scalars(select(noun)).all() == []


def signed(scheme: str, client: FlaskClient, examples: int) -> None:
    """What a payer's own faults may send: validly signed, and anything may stand in it."""
    sender = {"alipay": _alipay, "wechatpay": _wechatpay, "standard": _standard}[scheme]
    secret = partner.partner(make.listing(), "signing").secret

    @share(examples)
    @hypothesis.given(st.data())
    def posted(data: st.DataObject) -> None:
        body, headers = sender(data, secret)
        name = "signing" if scheme == "standard" else scheme
        answer = client.post(f"/webhooks/{name}", data=body, headers=headers)
        assert answer.status_code in (200, 202, 204, 400, 401, 409)

    posted()


def _standard(data: st.DataObject, secret: str) -> Sent:
    told = json.loads(partner.body(external_id="LQ-1"))
    told["data"] |= data.draw(st.dictionaries(st.sampled_from([*told["data"], "donor"]), JSON))
    body = json.dumps(told | data.draw(st.dictionaries(st.sampled_from(["type", "x"]), JSON)))
    event_id = data.draw(st.sampled_from(["a", "b", "c"]))
    return body.encode(), Partner("signing", secret).headers(body.encode(), event_id)


def _alipay(data: st.DataObject, secret: str) -> Sent:
    told = payers.trade("1")
    names = st.sampled_from([*told, "refund_fee", "out_biz_no", "gmt_refund", "passback_params"])
    values = st.text(st.characters(exclude_categories=["Cs"]))
    likely = st.sampled_from(["TRADE_CLOSED", "1", "2.00", "gbk", "2026-11-22 12:00:00.1", ""])
    told |= data.draw(st.dictionaries(names, values | likely))
    if told["charset"] not in ("utf-8", "gbk"):
        told["charset"] = "utf-8"
    if told["charset"] == "gbk":
        told = {name: value.encode("gbk", "replace").decode("gbk") for name, value in told.items()}
    return payers.form(told), {}


def _wechatpay(data: st.DataObject, secret: str) -> Sent:
    told = payers.payment("1", attach="x") | payers.refund("1", "RF1", 1)
    told |= data.draw(st.dictionaries(st.sampled_from(sorted(told)), JSON))
    amount = data.draw(st.none() | st.dictionaries(st.sampled_from(["total", "refund"]), JSON))
    kinds = st.sampled_from(["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "TRANSACTION.FAIL", "x"])
    changes = (
        {"amount": told["amount"] | amount} if amount and isinstance(told["amount"], dict) else {}
    )
    body = payers.event({**told, **changes}, data.draw(kinds))
    return body, payers.headers(body, datetime.now(UTC))


def test_nothing_unsigned_is_kept_and_nothing_upsets_the_door(
    client: FlaskClient, scheme: str
) -> None:
    unsigned(scheme, client, SHARE)


def test_nothing_signed_upsets_the_door(client: FlaskClient, scheme: str) -> None:
    signed(scheme, client, SHARE)


@pytest.mark.judge
def test_many_thousand_unsigned_posts_leave_nothing(client: FlaskClient, scheme: str) -> None:
    unsigned(scheme, client, UNSIGNED)


@pytest.mark.judge
def test_many_thousand_signed_posts_upset_nothing(client: FlaskClient, scheme: str) -> None:
    signed(scheme, client, SIGNED)
