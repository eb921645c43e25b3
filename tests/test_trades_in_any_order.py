"""Whatever order a trade's notices come in, and however often: its last state is in the ledger."""

from typing import Any

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies
from sqlalchemy import func, select

from campaigns import intake, notices
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.listing import Rule
from campaigns.model.notice import Notice, Verdict
from campaigns.notices import Came
from campaigns.platforms import registry
from config import settings
from tests import make, payers
from tests.books import totals_agree
from tests.make import NOON
from tests.payers import event, payment, refund, trade

EXAMPLES = hypothesis.settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@strategies.composite
def trades(draw: strategies.DrawFn) -> tuple[list[dict[str, str]], int, int]:
    """What Alipay tells of one trade: every state it went through, what was paid, what is left."""
    total = draw(strategies.integers(1, 10**9))
    sums = sorted(draw(strategies.sets(strategies.integers(1, total), max_size=4)))
    numbered = draw(strategies.booleans())
    told = [{"trade_status": draw(strategies.sampled_from(["TRADE_SUCCESS", "TRADE_FINISHED"]))}]
    for turn, so_far in enumerate(sums):
        number = {"out_biz_no": f"RF-{turn}"} if numbered else {}
        told.append({"refund_fee": yuan(so_far), **number})
    if draw(strategies.booleans()):
        stated = draw(strategies.booleans())
        told.append(
            {"trade_status": "TRADE_CLOSED", **({"refund_fee": yuan(total)} if stated else {})}
        )
        sums.append(total)
    told = [trade("1", total_amount=yuan(total), **state) for state in told]
    return told, total, max(sums, default=0)


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def arriving(data: strategies.DataObject, number: int) -> list[int]:
    """Each at least once, some again, in any order."""
    once = range(number)
    again = data.draw(strategies.lists(strategies.sampled_from(once), max_size=5))
    return data.draw(strategies.permutations([*once, *again]))


def arrives(endpoint: WebhookEndpoint, event_id: str, body: bytes) -> None:
    """As the door takes what was verified."""
    keys = endpoint.keys(settings().data_keys, NOON)
    kept = notices.take(endpoint, Came(event_id, body, {}, NOON))
    if kept.new:
        movements = registry.scheme(endpoint.scheme).movements(body, keys, NOON)
        intake.book(kept.notice_id, endpoint, movements, NOON)


def sums() -> dict[EntryKind, int]:
    rows = select(Entry.kind, func.sum(Entry.amount_minor)).group_by(Entry.kind)
    return {kind: int(total) for kind, total in db.session.execute(rows)}


def settled() -> set[Verdict]:
    return set(db.session.scalars(select(Notice.verdict)))


@pytest.fixture
def alipay(app: Flask) -> WebhookEndpoint:
    payers.alipay(make.listing(rule=Rule.ITEMISED))
    return db.session.scalars(select(WebhookEndpoint)).one()


@pytest.fixture
def wechat(app: Flask) -> WebhookEndpoint:
    payers.wechatpay(make.listing(rule=Rule.ITEMISED))
    return db.session.scalars(select(WebhookEndpoint)).one()


@hypothesis.given(trades(), strategies.data())
@EXAMPLES
def test_a_trade_of_alipay_ends_at_its_last_state(
    alipay: WebhookEndpoint,
    life: tuple[list[dict[str, str]], int, int],
    data: strategies.DataObject,
) -> None:
    told, paid, back = life
    db.session.rollback()  # what the last example did; nothing here is committed
    for turn, state in enumerate(arriving(data, len(told))):
        # Sent again as the same notification, or told of by another one.
        same = data.draw(strategies.booleans())
        notify_id = told[state]["notify_id"] if same else f"again-{turn}"
        sent = {**told[state], "notify_id": notify_id, "notify_time": f"2026-11-22 12:00:{turn:02}"}
        arrives(alipay, notify_id, "&".join(f"{k}={v}" for k, v in sent.items()).encode())
    expected = {EntryKind.DONATION: paid} | ({EntryKind.REFUND: -back} if back else {})
    assert sums() == expected
    assert settled() == {Verdict.BOOKED}
    assert totals_agree()


@hypothesis.given(strategies.lists(strategies.integers(1, 10_000), max_size=5), strategies.data())
@EXAMPLES
def test_a_payment_of_wechat_pay_and_its_refunds_add_up(
    wechat: WebhookEndpoint, refunds: list[int], data: strategies.DataObject
) -> None:
    db.session.rollback()
    told: list[tuple[Any, str]] = [(payment("1"), "TRANSACTION.SUCCESS")]
    told += [(refund("1", f"RF{n}", fen), "REFUND.SUCCESS") for n, fen in enumerate(refunds)]
    for turn, state in enumerate(arriving(data, len(told))):
        same = data.draw(strategies.booleans())
        # An attempt encrypts anew, with a nonce of its own.
        body = event(*told[state], nonce=f"nonce{turn:07}")
        number = f"EV{state}" if same else f"again-{turn}"
        body = b'{"id": "%s", ' % number.encode() + body.partition(b", ")[2]
        arrives(wechat, number, body)
    expected = {EntryKind.DONATION: 10_000}
    assert sums() == expected | ({EntryKind.REFUND: -sum(refunds)} if refunds else {})
    assert len(set(db.session.scalars(select(EntryKey.entry_id)))) == len(told)
    assert settled() == {Verdict.BOOKED}
    assert totals_agree()
