"""Alipay and WeChat Pay as they post: notifications signed with throw-away keys."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import quote_plus

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.platforms.scheme import Keys
from tests.make import NOON

numbers = count(1)
SHANGHAI = timezone(timedelta(hours=8))
APP, SELLER = "2021000000000001", "2088000000000001"
MCHID, APPID, APIV3_KEY = "1900000001", "wxd678efh567hg6787", "0123456789abcdefghijKLMNOPQRSTUV"
SERIAL = "PUB_KEY_ID_0116000000012026090700000000000001"


@cache
def private_key(name: str) -> RSAPrivateKey:
    """One pair for each name, made once per run."""
    return generate_private_key(65537, 2048)


def public_key(name: str = "theirs") -> str:
    public = private_key(name).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signature(message: bytes, key: str = "theirs", *, sha1: bool = False) -> str:
    digest = SHA1() if sha1 else SHA256()  # noqa: S303 - what must be refused
    return base64.b64encode(private_key(key).sign(message, PKCS1v15(), digest)).decode()


def alipay_keys(**settings: str) -> Keys:
    plain = {"app_id": APP, "seller_id": SELLER, **settings}
    return Keys({"public_key": [public_key()]}, plain)


def wechat_keys(**settings: str) -> Keys:
    plain = {"mchid": MCHID, "appid": APPID, **settings}
    return Keys({"apiv3_key": [APIV3_KEY], f"key:{SERIAL}": [public_key()]}, plain)


def trade(number: str | None = None, **changes: str | None) -> dict[str, str]:
    """The parameters of a paid trade; what is changed to None is left out."""
    number = number or f"{next(numbers):06}"
    told: dict[str, str | None] = {
        "gmt_create": "2026-11-22 11:59:50",
        "charset": "utf-8",
        "gmt_payment": "2026-11-22 12:00:00",
        "notify_time": "2026-11-22 12:00:01",
        "subject": "春芽计划-乡村图书角",
        "version": "1.0",
        "notify_id": f"notify-{next(numbers):06}",
        "notify_type": "trade_status_sync",
        "out_trade_no": f"DON-{number}",
        "total_amount": "100.00",
        "trade_status": "TRADE_SUCCESS",
        "trade_no": f"20261122{number}",
        "app_id": APP,
        "seller_id": SELLER,
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def form(told: Mapping[str, str], *, key: str = "theirs", sign_type: str | None = "RSA2") -> bytes:
    """The body that Alipay would post, in the charset that it names."""
    charset = told.get("charset", "utf-8")
    signed = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
    sign = signature(signed.encode(charset), key, sha1=sign_type == "RSA")
    whole = {**told, **({"sign_type": sign_type} if sign_type else {}), "sign": sign}
    return "&".join(f"{k}={quote_plus(v, encoding=charset)}" for k, v in whole.items()).encode()


def payment(number: str | None = None, **changes: Any) -> dict[str, Any]:
    """What WeChat Pay says of a payment; what is changed to None is left out."""
    number = number or f"{next(numbers):06}"
    told = {
        "mchid": MCHID,
        "appid": APPID,
        "out_trade_no": f"DON{number}",
        "transaction_id": f"42000{number}",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "success_time": "2026-11-22T12:00:00+08:00",
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": 10000, "payer_total": 10000, "currency": "CNY"},
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def refund(number: str, request: str, fen: int, **changes: Any) -> dict[str, Any]:
    """What WeChat Pay says of a refund of the payment of that number."""
    told = {
        "mchid": MCHID,
        "out_trade_no": f"DON{number}",
        "transaction_id": f"42000{number}",
        "out_refund_no": request,
        "refund_id": f"50000{request}",
        "refund_status": "SUCCESS",
        "success_time": "2026-11-22T12:00:00+08:00",
        "amount": {"total": 10000, "refund": fen, "payer_total": 10000, "payer_refund": fen},
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def event(
    told: object, type: str = "TRANSACTION.SUCCESS", *, key: str = APIV3_KEY, **changes: Any
) -> bytes:
    """The body that WeChat Pay would post; `changes` are to the resource."""
    plain = told if isinstance(told, bytes) else json.dumps(told, ensure_ascii=False).encode()
    resource: dict[str, Any] = {
        "original_type": "transaction",
        "algorithm": "AEAD_AES_256_GCM",
        "associated_data": "transaction",
        "nonce": "fdasflkja484",
        **changes,
    }
    if "ciphertext" not in resource:
        nonce, associated = resource["nonce"], resource.get("associated_data") or ""
        sealed = AESGCM(key.encode()).encrypt(nonce.encode(), plain, associated.encode())
        resource["ciphertext"] = base64.b64encode(sealed).decode()
    post = {
        "id": f"EV-{next(numbers):06}",
        "create_time": "2026-11-22T12:00:01+08:00",
        "resource_type": "encrypt-resource",
        "event_type": type,
        "summary": "支付成功",
        "resource": {name: value for name, value in resource.items() if value is not None},
    }
    return json.dumps(post, ensure_ascii=False).encode()


def headers(
    body: bytes, at: datetime = NOON, *, key: str = "theirs", **more: str
) -> dict[str, str]:
    """The headers that go with a body; `more` is by name with _ for -, after "Wechatpay-"."""
    timestamp, nonce = str(int(at.timestamp())), "d824f2e086d3c1df967785d13fcd22ef"
    return {
        "Content-Type": "application/json",
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": SERIAL,
        "Wechatpay-Signature": signature(f"{timestamp}\n{nonce}\n".encode() + body + b"\n", key),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        **{f"Wechatpay-{name.replace('_', '-')}": value for name, value in more.items()},
    }


@dataclass(frozen=True)
class Alipay:
    """Alipay, with an endpoint of ours to post to."""

    name: str
    content_type: str = field(default="application/x-www-form-urlencoded; charset=utf-8")

    def post(self, client: FlaskClient, body: bytes, **more: Any) -> TestResponse:
        return client.post(
            f"/webhooks/{self.name}", data=body, content_type=self.content_type, **more
        )


@dataclass(frozen=True)
class WechatPay:
    """WeChat Pay, with an endpoint of ours to post to."""

    name: str

    def post(self, client: FlaskClient, body: bytes, **more: Any) -> TestResponse:
        signed = headers(body, more.pop("at", None) or datetime.now(UTC))
        return client.post(f"/webhooks/{self.name}", data=body, headers=signed, **more)


def alipay(bounds: Campaign | Listing, name: str = "alipay-1", **given: str) -> Alipay:
    given = {"app_id": APP, "seller_id": SELLER, "public_key": public_key(), **given}
    endpoints.create(name, "alipay", bounds, NOON, given=given)
    db.session.commit()
    return Alipay(name)


def wechatpay(bounds: Campaign | Listing, name: str = "wechat-1", **given: str) -> WechatPay:
    given = {
        "mchid": MCHID,
        "appid": APPID,
        "apiv3_key": APIV3_KEY,
        f"key:{SERIAL}": public_key(),
        **given,
    }
    endpoints.create(name, "wechatpay", bounds, NOON, given=given)
    db.session.commit()
    return WechatPay(name)


def succeeded(answer: TestResponse) -> bool:
    """Whether Alipay takes this for a success, and never something in between."""
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.data in (b"success", b"fail")
    assert (answer.data == b"success") is (answer.status_code == 200)
    return answer.status_code == 200


def taken(answer: TestResponse) -> bool:
    """Whether WeChat Pay takes this for a success, and never something in between."""
    if answer.status_code == 204:
        assert answer.data == b""
        return True
    assert answer.json
    assert (answer.json["code"], bool(answer.json["message"])) == ("FAIL", True)
    return False
