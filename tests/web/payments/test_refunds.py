"""Refunds as Alipay and WeChat Pay tell of them: sums, parts, out of order, and once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from campaigns import intake, ledger, notices
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from tests import make, payers
from tests.books import amounts, verdicts
from tests.make import NOON
from tests.payers import Alipay, WechatPay, event, form, payment, refund, succeeded, taken, trade


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
