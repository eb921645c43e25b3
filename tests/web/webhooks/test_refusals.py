"""Posts that are not taken: malformed, unsigned, stale, too large, or to nobody."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaigns import endpoints
from campaigns.db import db
from campaigns.platforms.base import LARGEST_NOTICE
from campaigns.web import webhooks
from tests import make
from tests.books import amounts, notices
from tests.make import NOON
from tests.partner import Partner, body, partner


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "10.505"},
        {"amount": "-1.00"},
        {"amount": "0.00"},
        {"amount": 10.5},
        {"amount": "1e3"},
        {"amount": None},
        {"currency": "RMB"},
        {"currency": "XXX"},
        {"external_id": ""},
        {"external_id": "x" * 129},
        {"external_id": "\ud800"},
        {"external_id": "a\u0000b"},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-11-22T12:00:00"},
        {"occurred_at": "2099-11-22T12:00:00Z"},
        {"donor": []},
        {"refunds": "LQ-1"},
    ],
    ids=str,
)
def test_malformed_money_is_refused_and_leaves_nothing(
    client: FlaskClient, lianquan: Partner, wrong: dict[str, Any]
) -> None:
    post = json.loads(body(external_id="LQ-1"))
    post["data"] |= wrong
    answer = lianquan.post(client, json.dumps(post).encode())
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.text
    assert (amounts(), notices()) == ([], [])


@pytest.mark.parametrize("raw", [b"", b"[]", b"nothing", b"\xff", b"[" * 9000, b"{}{}", b"null"])
def test_a_signed_body_that_is_no_object_is_refused(app: Flask, raw: bytes) -> None:
    lianquan = partner(make.listing())
    signed = lianquan.headers(b"", "evt")
    if raw.isascii():
        signed = lianquan.headers(raw, "evt")
    answer = app.test_client().post("/webhooks/" + lianquan.name, data=raw, headers=signed)
    assert answer.status_code in (400, 401)
    assert notices() == []


def test_an_unsigned_post_is_refused(client: FlaskClient, lianquan: Partner) -> None:
    stranger = Partner(lianquan.name, "whsec_" + "A" * 32)
    assert stranger.post(client, body()).status_code == 401
    assert client.post("/webhooks/lianquan", data=body()).status_code == 400
    assert (amounts(), notices()) == ([], [])


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_stale_post_is_refused(client: FlaskClient, lianquan: Partner, away: timedelta) -> None:
    answer = lianquan.post(client, body(), at=datetime.now(UTC) + away)
    assert answer.status_code == 400
    assert notices() == []


def test_an_unknown_endpoint_is_not_found(client: FlaskClient, lianquan: Partner) -> None:
    answer = Partner("nobody", lianquan.secret).post(client, body())
    assert (answer.status_code, answer.is_json) == (404, True)


def test_a_paused_endpoint_takes_nothing_until_it_is_resumed(
    client: FlaskClient, lianquan: Partner
) -> None:
    endpoints.pause(endpoints.named("lianquan"), NOON)
    assert lianquan.post(client, body()).status_code == 404
    assert notices() == []
    endpoints.resume(endpoints.named("lianquan"), NOON)
    assert lianquan.post(client, body()).status_code == 200


def test_a_body_that_is_too_large_is_refused_unread(client: FlaskClient, lianquan: Partner) -> None:
    answer = lianquan.post(client, b" " * (LARGEST_NOTICE + 1))
    assert answer.status_code == 413
    assert notices() == []


def test_a_body_without_a_length_is_bounded_too(client: FlaskClient, lianquan: Partner) -> None:
    endless = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    large = b" " * (LARGEST_NOTICE + 1)
    headers = lianquan.headers(large, "evt")
    answer = client.post(
        "/webhooks/lianquan", data=large, headers=headers, environ_overrides=endless
    )
    assert answer.status_code == 413


def test_a_body_of_the_largest_size_is_taken(client: FlaskClient, lianquan: Partner) -> None:
    post = body()
    assert lianquan.post(client, post.ljust(LARGEST_NOTICE)).status_code == 200


def test_both_secrets_are_good_for_a_day_after_a_rotation(app: Flask, lianquan: Partner) -> None:
    now = datetime.now(UTC)
    made = endpoints.rotate(endpoints.named("lianquan"), now)
    db.session.commit()
    rotated = Partner("lianquan", made.secret)
    for one, hours, status in (
        (lianquan, 23, 200),
        (rotated, 23, 200),
        (lianquan, 25, 401),
        (rotated, 25, 200),
    ):
        post, at = body(at=now), now + timedelta(hours=hours)
        headers = one.headers(post, f"evt-{one is rotated}-{hours}", at)
        with app.test_request_context("/", method="POST", data=post, headers=headers):
            assert webhooks.answer("lianquan", at).status_code == status
