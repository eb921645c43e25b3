"""WeChat Pay (微信支付): APIv3 notifications of payments and refunds, signed and encrypted."""

import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from campaigns.money import Money
from campaigns.platforms import aead, fields, placing, rsa
from campaigns.platforms.base import (
    LARGEST_AMOUNT,
    LARGEST_NOTICE,
    N_,
    BadKeys,
    BadSignature,
    Key,
    Kind,
    MalformedNotice,
    Movement,
    NotOurs,
    NotUnderstood,
    SignatureProbe,
    StaleNotice,
)
from campaigns.platforms.fields import NO_GIFT, Fields
from campaigns.platforms.scheme import NOT_OURS, UNKNOWN_KIND, Keys, Reply, Sample, Setting, demand

LABEL = N_("WeChat Pay notifications")
SETTINGS = (
    Setting("mchid", N_("Merchant number (mchid)"), N_("8 to 10 digits.")),
    Setting("appid", N_("App id (appid)"), N_("It begins with wx.")),
    Setting(
        "apiv3_key",
        N_("APIv3 key"),
        N_("The 32 letters and digits set in the merchant platform, as they are."),
        secret=True,
    ),
    Setting(
        "key",
        N_("Public keys and platform certificates"),
        N_("Each under its id: PUB_KEY_ID_… or the certificate's serial number."),
        secret=True,
        many=True,
        long=True,
    ),
    placing.ORDER_PREFIX,
)
# The developer's guide asks for it; both ends included, and for clocks that run ahead too.
TOLERANCE = timedelta(minutes=5)

_PROBE = "WECHATPAY/SIGNTEST/"
_METHOD = "WECHATPAY2-SHA256-RSA2048"
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_VISIBLE = re.compile(r"[!-~]{1,200}", re.ASCII)
_SIGNATURE = re.compile(r"[!-~]{1,2048}", re.ASCII)
_SERIAL = re.compile(r"PUB_KEY_ID_[0-9A-Za-z]{1,80}|[0-9A-Fa-f]{8,64}", re.ASCII)
_MCHID = re.compile(r"[0-9]{8,10}", re.ASCII)
_APPID = re.compile(r"wx[0-9A-Za-z]{8,30}", re.ASCII)
# Of a payment. REFUND: paid, and then given back, of which its own event tells.
_PAID = ("SUCCESS", "REFUND")


def new_secret() -> None:
    """WeChat Pay has the private keys, and the APIv3 key is set there."""


def check(keys: Keys) -> None:
    demand(keys, SETTINGS)
    if not _MCHID.fullmatch(keys.plain("mchid")):
        raise BadKeys("mchid", N_("A merchant number is 8 to 10 digits."))
    if not _APPID.fullmatch(keys.plain("appid")):
        raise BadKeys("appid", N_("An app id begins with wx."))
    for secret in keys.valid("apiv3_key"):
        if len(secret.encode()) != 32 or not secret.isascii():
            raise BadKeys("apiv3_key", N_("The APIv3 key has exactly 32 letters and digits."))
    for serial, texts in keys.each("key"):
        if not _SERIAL.fullmatch(serial):
            raise BadKeys(
                f"key:{serial}"[:40], N_("The id is PUB_KEY_ID_… or a certificate's serial number.")
            )
        for text in texts:
            rsa.public_key(text, f"key:{serial}")
    placing.read_prefixes(keys.plain("order_prefix"))


def source(keys: Keys) -> str:
    return f"wechatpay:{keys.plain('mchid')}"


def verify(headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> str:
    """The event's id, once the signature over moment, nonce and the raw body holds.

    The key is the one that Wechatpay-Serial names; an unknown one is refused and never asked for.
    Wechatpay-Signature-Type may be missing, since it is not signed and there is but one method;
    another method is refused.
    """
    found = {name.lower(): value for name, value in headers.items()}
    signature = _header(found, "wechatpay-signature", _SIGNATURE)
    if signature.startswith(_PROBE):
        raise SignatureProbe(N_("This is one of WeChat Pay's own probes."))
    timestamp = _header(found, "wechatpay-timestamp", _TIMESTAMP)
    nonce = _header(found, "wechatpay-nonce", _VISIBLE)
    serial = _header(found, "wechatpay-serial", _VISIBLE)
    if found.get("wechatpay-signature-type", _METHOD) != _METHOD:
        raise MalformedNotice(N_("The header wechatpay-signature-type must be"), _METHOD)
    if len(body) > LARGEST_NOTICE:
        raise MalformedNotice(N_("The body is larger than we take, in bytes"), LARGEST_NOTICE)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise StaleNotice(N_("It was signed more than five minutes away from our clock."))
    known = [text for name, texts in keys.each("key") if _same(name, serial) for text in texts]
    if not known:
        raise BadSignature(N_("We hold no key of the serial in wechatpay-serial."))
    if not rsa.signed(signature, _signed(timestamp, nonce, body), known):
        raise BadSignature(N_("The signature was not made with the key of its serial."))
    post = fields.parse(body, MalformedNotice)
    return post.needed(post.line, "id", 200)


def movements(body: bytes, keys: Keys, now: datetime) -> list[Movement]:
    """The payment or refund; nothing where none came about."""
    post = fields.parse(body, MalformedNotice)
    event = post.needed(post.line, "event_type", 64)
    told = fields.parse(_plaintext(post, keys), MalformedNotice)
    if told.needed(told.line, "mchid", 32) != keys.plain("mchid"):
        raise NotOurs(NOT_OURS, "mchid")
    if event in ("TRANSACTION.SUCCESS", "TRANSACTION.FAIL"):
        return _payment(post, told, keys, now)
    if event in ("REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"):
        return _refund(post, told, keys, now)
    raise NotUnderstood(UNKNOWN_KIND, event)


def essence(body: bytes, keys: Keys) -> bytes:
    """The body with its resource in the clear, since encrypting it again gives other bytes."""
    post = fields.parse(body, MalformedNotice)
    outer = {name: value for name, value in post.members.items() if name != "resource"}
    return json.dumps(outer, sort_keys=True).encode() + b"\n" + _plaintext(post, keys)


def legible(body: bytes, keys: Keys) -> Mapping[str, object]:
    """The body with what it held encrypted in place of its resource."""
    post = fields.parse(body, MalformedNotice)
    told = fields.parse(_plaintext(post, keys), MalformedNotice)
    return {**post.members, "resource": told.members}


def sample(keys: Keys, now: datetime) -> Sample:
    """Signed by a key of its own in WeChat Pay's stead, and encrypted with the APIv3 key."""
    private, public = rsa.throwaway()
    number, serial = secrets.token_hex(10), "PUB_KEY_ID_0SAMPLE"
    prefix = next(iter(placing.read_prefixes(keys.plain("order_prefix"))), "")
    told = {
        "mchid": keys.plain("mchid"),
        "appid": keys.plain("appid"),
        "out_trade_no": f"{prefix}s_{number}"[:64],
        "transaction_id": f"s_{number}",
        "trade_state": "SUCCESS",
        "success_time": now.isoformat(timespec="seconds"),
        "amount": {"total": 100, "currency": "CNY"},
    }
    key = keys.valid("apiv3_key")[0]
    post = {
        "id": f"sample_{number}",
        "create_time": now.isoformat(timespec="seconds"),
        "event_type": "TRANSACTION.SUCCESS",
        "resource": aead.sealed(json.dumps(told).encode(), key, "transaction"),
    }
    body, nonce = json.dumps(post).encode(), secrets.token_hex(16)
    timestamp = str(int(now.timestamp()))
    headers = {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": rsa.signature(_signed(timestamp, nonce, body), private),
        "Wechatpay-Signature-Type": _METHOD,
    }
    return Sample(headers, body, Keys({**keys.secrets, f"key:{serial}": [public]}, keys.settings))


def reply(status: int, reason: str) -> Reply:
    """204 for what we keep; else JSON with the reason, and WeChat Pay sends it again."""
    if status < 300:
        return Reply(204, "application/json", b"")
    body = json.dumps({"code": "FAIL", "message": reason}, ensure_ascii=False)
    return Reply(status, "application/json", body.encode())


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name)
    if value is None:
        raise MalformedNotice(N_("A header is missing"), name)
    if not form.fullmatch(value):
        raise MalformedNotice(N_("A header is not in its form"), name)
    return value


def _same(name: str, serial: str) -> bool:
    """Serials are hexadecimal numbers, which some tools show in small letters."""
    return name.upper() == serial.upper()


def _signed(timestamp: str, nonce: str, body: bytes) -> bytes:
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def _plaintext(post: Fields, keys: Keys) -> bytes:
    return aead.opened(post.needed(post.inner, "resource"), keys.valid("apiv3_key"))


def _payment(post: Fields, told: Fields, keys: Keys, now: datetime) -> list[Movement]:
    if told.needed(told.line, "appid", 32) != keys.plain("appid"):
        raise NotOurs(NOT_OURS, "appid")
    state = told.needed(told.line, "trade_state", 32)
    if post.line("event_type", 64) == "TRANSACTION.FAIL" or state not in _PAID:
        return []
    order = told.needed(told.line, "out_trade_no", 64)
    trade = Key("trade", told.needed(told.line, "transaction_id", 64))
    place = placing.place(told.words("attach", 4096), order, keys.plain("order_prefix"))
    return [
        Movement(
            kind=Kind.DONATION,
            # What the donor paid after a coupon is payer_total; the coupon is money too.
            amount=_amount(told, "total"),
            occurred_at=_moment(post, told, now),
            keys=(trade, Key("order", order)),
            campaign_ref=place.ref,
            passed=place.passed,
            elsewhere=place.elsewhere,
        )
    ]


def _refund(post: Fields, told: Fields, keys: Keys, now: datetime) -> list[Movement]:
    """What is still under way, came to nothing or went astray is still ours."""
    status = told.needed(told.line, "refund_status", 32)
    if (post.line("event_type", 64), status) != ("REFUND.SUCCESS", "SUCCESS"):
        return []
    order = told.needed(told.line, "out_trade_no", 64)
    place = placing.place(None, order, keys.plain("order_prefix"))
    amount = _amount(told, "refund")
    if amount > _amount(told, "total"):
        told.refuse("amount.refund", N_("A refund is larger than its payment"))
    return [
        Movement(
            kind=Kind.REFUND,
            amount=amount,
            occurred_at=_moment(post, told, now),
            keys=(
                Key("refund", told.needed(told.line, "refund_id", 64)),
                Key("request", told.needed(told.line, "out_refund_no", 64)),
            ),
            refunds=Key("trade", told.needed(told.line, "transaction_id", 64)),
            campaign_ref=place.ref,
            elsewhere=place.elsewhere,
        )
    ]


def _amount(told: Fields, name: str) -> Money:
    """In the smallest unit, as a whole number."""
    amount = told.needed(told.inner, "amount")
    minor = amount.needed(amount.count, name)
    if not 0 < minor <= LARGEST_AMOUNT:
        amount.refuse(name, NO_GIFT)
    return Money(minor, amount.currency("currency") or "CNY")


def _moment(post: Fields, told: Fields, now: datetime) -> datetime:
    """When it succeeded, or else when we began to be told; never after we were."""
    moment = told.moment("success_time") or post.needed(post.moment, "create_time")
    return min(moment, now)
