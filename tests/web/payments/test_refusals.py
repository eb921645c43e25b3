"""Posts of payment providers that are not taken: said in their words, counted, and left."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.platforms.base import LARGEST_NOTICE
from campaigns.web import webhooks
from campaigns.web.refusals import Refusals
from tests import payers
from tests.books import amounts, verdicts
from tests.payers import Alipay, WechatPay, event, form, payment, succeeded, taken, trade


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
