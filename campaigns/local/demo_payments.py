"""The demo's own merchant accounts: endpoints of Alipay and WeChat Pay, and what came there."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from campaigns import endpoints, intake, notices
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.notices import Came
from campaigns.platforms import registry, rsa
from config import settings

SHANGHAI = timezone(timedelta(hours=8))
# Invented, as everything here; no merchant has them.
APP, SELLER = "2021000000000000", "2088000000000000"
MCHID, APPID, APIV3_KEY = "1900000000", "wxdemo0000000000", "demo-demo-demo-demo-demo-demo-00"
SERIAL = "PUB_KEY_ID_0000000000000000000000000000000000"
DAYS = 30
# By how many days ago: yuan, and how the trade stands. An order of the shop is no campaign's.
TRADES: Mapping[int, tuple[str, dict[str, str]]] = {
    21: ("66.00", {}),
    13: ("200.00", {}),
    9: ("50.00", {}),
    8: ("50.00", {"number": "9", "refund_fee": "20.00", "out_biz_no": "RF-9-1"}),
    4: ("38.00", {"prefix": "SHOP"}),
    1: ("100.00", {}),
}
# By how many days ago: fen, and what came of it.
PAYMENTS: Mapping[int, tuple[int, str]] = {
    17: (1_888, "TRANSACTION.SUCCESS"),
    6: (52_000, "TRANSACTION.SUCCESS"),
    5: (3_000, "TRANSACTION.FAIL"),
    2: (10_000, "TRANSACTION.SUCCESS"),
}


def play(listing: Listing, now: datetime) -> None:
    """Open both endpoints for a listing, and let notifications of the last weeks arrive there."""
    _, public = rsa.throwaway()
    given = {"app_id": APP, "seller_id": SELLER, "public_key": public, "order_prefix": "DON-"}
    alipay = endpoints.create("demo-alipay", "alipay", listing, now, given=given).endpoint
    given = {"mchid": MCHID, "appid": APPID, "apiv3_key": APIV3_KEY, f"key:{SERIAL}": public}
    wechat = endpoints.create("demo-wechat", "wechatpay", listing, now, given=given).endpoint
    for days in range(DAYS, 0, -1):
        at = now - timedelta(days=days, hours=2)
        if days in TRADES:
            yuan, more = TRADES[days]
            _arrives(alipay, f"demo-alipay-{days}", _trade(days, yuan, at, **more), at)
        if days in PAYMENTS:
            fen, event = PAYMENTS[days]
            _arrives(wechat, f"demo-wechat-{days}", _payment(days, fen, event, at), at)


def trade_number(number: str | int) -> str:
    """Alipay's number of a payment, as its notices and bills have it."""
    return f"2026demo{number:>020}"


def order_number(prefix: str, number: str | int) -> str:
    """Our own number of it."""
    return f"{prefix}-{number}"


def _arrives(endpoint: WebhookEndpoint, event_id: str, body: bytes, at: datetime) -> None:
    """As the door takes what was verified; nobody signed these."""
    keys = endpoint.keys(settings().data_keys, at)
    movements = registry.scheme(endpoint.scheme).movements(body, keys, at)
    kept = notices.take(endpoint, Came(event_id, body, {}, at))
    intake.book(kept.notice_id, endpoint, movements, at)


def _trade(days: int, yuan: str, at: datetime, **more: str) -> bytes:
    number, prefix = more.pop("number", str(days)), more.pop("prefix", "DON")
    moment = f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    return _form(
        {
            "app_id": APP,
            "seller_id": SELLER,
            "charset": "utf-8",
            "notify_id": f"demo-alipay-{days}",
            "notify_time": moment,
            "notify_type": "trade_status_sync",
            "trade_no": trade_number(number),
            "out_trade_no": order_number(prefix, number),
            "trade_status": "TRADE_SUCCESS",
            "total_amount": yuan,
            "gmt_payment": moment,
            "subject": "放学以后",
            "buyer_logon_id": "dem***@example.com",
            **more,
        }
    )


def _form(told: Mapping[str, str]) -> bytes:
    return urlencode(told).encode()


def _payment(days: int, fen: int, event: str, at: datetime) -> bytes:
    told: dict[str, Any] = {
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": f"DON{days:06}",
        "transaction_id": f"4200demo{days:020}",
        "trade_state": "SUCCESS" if event == "TRANSACTION.SUCCESS" else "PAYERROR",
        "success_time": at.isoformat(timespec="seconds"),
        "payer": {"openid": "demo-openid"},
        "amount": {"total": fen, "payer_total": fen, "currency": "CNY"},
    }
    nonce = f"demo{days:08}"
    plain = json.dumps(told, ensure_ascii=False).encode()
    sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), plain, b"transaction")
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": "transaction",
        "nonce": nonce,
    }
    moment = at.isoformat(timespec="seconds")
    post = {"id": f"demo-wechat-{days}", "create_time": moment, "event_type": event}
    return json.dumps({**post, "resource": resource}, ensure_ascii=False).encode()
