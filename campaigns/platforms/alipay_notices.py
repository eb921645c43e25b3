"""Alipay (支付宝): asynchronous notifications of a merchant's trades, signed with RSA2.

Each tells the whole trade as it stands: paid, how much was refunded so far, closed.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote_to_bytes, urlencode

from campaigns.money import Money
from campaigns.platforms import placing, rsa
from campaigns.platforms.base import (
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
)
from campaigns.platforms.fields import MISSING, NO_GIFT, Fields
from campaigns.platforms.scheme import NOT_OURS, UNKNOWN_KIND, Keys, Reply, Sample, Setting, demand

LABEL = N_("Alipay notifications")
SETTINGS = (
    Setting("app_id", N_("App id"), N_("As the open platform shows it: digits that begin 20.")),
    Setting("seller_id", N_("Merchant id (PID)"), N_("16 digits that begin with 2088.")),
    Setting(
        "public_key",
        N_("Alipay's public key"),
        N_("The one that Alipay shows for your app, not your app's own: PEM, or as it is shown."),
        secret=True,
        long=True,
    ),
    placing.ORDER_PREFIX,
)
CURRENCY = "CNY"
# alipay.trade.pay: total_amount lies between 0.01 and 100,000,000 yuan.
LARGEST = Money(10_000_000_000, CURRENCY)
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED")

_MOST_PARAMETERS = 200
_SHANGHAI = timezone(timedelta(hours=8))
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_APP = re.compile(r"[0-9]{16,32}", re.ASCII)
_SELLER = re.compile(r"2088[0-9]{12}", re.ASCII)
_CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8"} | dict.fromkeys(
    ("gbk", "gb2312", "gb18030"), "gb18030"
)
# What is not signed, and what a further attempt to deliver the same notification changes.
_UNSIGNED = (b"sign", b"sign_type")
_OF_THE_ATTEMPT = (*_UNSIGNED, b"notify_time")


def new_secret() -> None:
    """Alipay has the private key."""


def check(keys: Keys) -> None:
    demand(keys, SETTINGS)
    if not _APP.fullmatch(keys.plain("app_id")):
        raise BadKeys("app_id", N_("An app id is 16 to 32 digits."))
    if not _SELLER.fullmatch(keys.plain("seller_id")):
        raise BadKeys("seller_id", N_("A merchant id is 16 digits that begin with 2088."))
    for text in keys.valid("public_key"):
        rsa.public_key(text, "public_key")
    placing.read_prefixes(keys.plain("order_prefix"))


def source(keys: Keys) -> str:
    return f"alipay:{keys.plain('seller_id')}"


def verify(headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> str:
    """The `notify_id`, which is the same at every attempt to deliver one notification.

    What is signed are the bytes of every parameter but two, decoded once; so the charset does not
    matter here, and nothing that stands elsewhere in the request. RSA2 is demanded, whatever
    sign_type says: it is not signed itself. The age does not matter: attempts go on for 25 hours.
    """
    posted = _posted(body)
    if posted.get(b"sign_type", b"RSA2") != b"RSA2":
        raise BadSignature(N_("sign_type must be RSA2."))
    signature = posted.get(b"sign", b"").decode("latin-1")
    if not signature:
        raise MalformedNotice(MISSING, "sign")
    signed = _joined(posted, without=_UNSIGNED)
    if not rsa.signed(signature, signed, keys.valid("public_key")):
        raise BadSignature(N_("sign was not made with the key that we hold for Alipay."))
    told = _told(posted)
    return told.needed(told.line, "notify_id", 128)


def movements(body: bytes, keys: Keys, now: datetime) -> list[Movement]:
    """The payment, and what was refunded of it so far; nothing of a trade that was never paid.

    A full refund closes the trade, also where nothing else says that there was one.
    """
    told = _told(_posted(body))
    _demand_ours(told, keys)
    status = told.needed(told.line, "trade_status", 32)
    total = _amount(told, "total_amount")
    refunded = _amount(told, "refund_fee") or Money.zero(CURRENCY)
    if total is None or not total:
        told.refuse("total_amount", N_("An amount is missing or nothing"))
    if refunded > total:
        told.refuse("refund_fee", N_("A refund is larger than its payment"))
    if status == "TRADE_CLOSED" and (refunded or told.line("gmt_payment", 30)):
        refunded = total
    elif status not in PAID:
        return _nothing(status)
    payment = _payment(told, total, keys, now)
    return [payment, _refund(told, payment, refunded, now)] if refunded else [payment]


def essence(body: bytes, keys: Keys) -> bytes:
    """Every parameter but the moment of sending and its signature."""
    return _joined(_posted(body), without=_OF_THE_ATTEMPT)


def legible(body: bytes, keys: Keys) -> Mapping[str, object]:
    return _told(_posted(body)).members


def sample(keys: Keys, now: datetime) -> Sample:
    """Signed by a key of its own in Alipay's stead."""
    private, public = rsa.throwaway()
    number, moment = secrets.token_hex(12), f"{now.astimezone(_SHANGHAI):%Y-%m-%d %H:%M:%S}"
    prefix = next(iter(placing.read_prefixes(keys.plain("order_prefix"))), "")
    told = {
        "app_id": keys.plain("app_id"),
        "seller_id": keys.plain("seller_id"),
        "charset": "utf-8",
        "notify_id": f"sample_{number}",
        "notify_time": moment,
        "notify_type": "trade_status_sync",
        "trade_no": f"sample_{number}",
        "out_trade_no": f"{prefix}sample_{number}"[:64],
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "1.00",
        "gmt_payment": moment,
        "subject": "试",
    }
    signed = _joined({name.encode(): value.encode() for name, value in told.items()}, without=())
    told |= {"sign_type": "RSA2", "sign": rsa.signature(signed, private)}
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    secret = {**keys.secrets, "public_key": [public]}
    return Sample(headers, urlencode(told).encode(), Keys(secret, keys.settings))


def reply(status: int, reason: str) -> Reply:
    """Exactly `success` for what we keep; after anything else Alipay sends it again."""
    taken = status < 300
    return Reply(200 if taken else status, "text/plain", b"success" if taken else b"fail")


def _posted(body: bytes) -> dict[bytes, bytes]:
    """The parameters of the body, each decoded once and none of them twice there."""
    if len(body) > LARGEST_NOTICE:
        raise MalformedNotice(N_("The body is larger than we take, in bytes"), LARGEST_NOTICE)
    parts = [part for part in body.split(b"&", _MOST_PARAMETERS) if part]
    if len(parts) > _MOST_PARAMETERS:
        raise MalformedNotice(N_("There are more parameters than we read"), _MOST_PARAMETERS)
    posted = {}
    for part in parts:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        posted[unquote_to_bytes(name)] = unquote_to_bytes(value)
    if len(posted) < len(parts):
        raise MalformedNotice(N_("A parameter stands in the body twice."))
    return posted


def _joined(posted: Mapping[bytes, bytes], *, without: tuple[bytes, ...]) -> bytes:
    """name=value in the order of the names' bytes, also where the value is empty."""
    return b"&".join(b"%s=%s" % pair for pair in sorted(posted.items()) if pair[0] not in without)


def _told(posted: Mapping[bytes, bytes]) -> Fields:
    """The parameters as text, in the charset that the sender names among them, else UTF-8."""
    name = (posted.get(b"charset") or b"utf-8").decode("latin-1").lower()
    if name not in _CHARSETS:
        raise MalformedNotice(N_("charset must be utf-8 or gbk."))
    try:
        charset = _CHARSETS[name]
        told: dict[str, object] = {
            key.decode(charset): value.decode(charset) for key, value in posted.items()
        }
    except UnicodeDecodeError as error:
        raise MalformedNotice(N_("The body is not in the charset that it names.")) from error
    return Fields(told, MalformedNotice)


def _demand_ours(told: Fields, keys: Keys) -> None:
    for name in ("app_id", "seller_id"):
        if told.needed(told.line, name, 32) != keys.plain(name):
            raise NotOurs(NOT_OURS, name)
    if told.line("notify_type", 64) not in (None, "trade_status_sync"):
        raise NotUnderstood(N_("notify_type is not trade_status_sync."))


def _nothing(status: str) -> list[Movement]:
    if status not in ("WAIT_BUYER_PAY", "TRADE_CLOSED"):
        raise NotUnderstood(UNKNOWN_KIND, status)
    return []


def _amount(told: Fields, name: str) -> Money | None:
    amount = told.amount(name, CURRENCY) if told.line(name, 32) else None
    if amount is not None and not Money.zero(CURRENCY) <= amount <= LARGEST:
        told.refuse(name, NO_GIFT)
    return amount


def _payment(told: Fields, total: Money, keys: Keys, now: datetime) -> Movement:
    order = told.needed(told.line, "out_trade_no", 64)
    passed = told.words("passback_params", 4096)
    place = placing.place(passed, order, keys.plain("order_prefix"))
    return Movement(
        kind=Kind.DONATION,
        amount=total,
        occurred_at=_moment(told, now, "gmt_payment", "gmt_create", "notify_time"),
        keys=(Key("trade", told.needed(told.line, "trade_no", 64)), Key("order", order)),
        campaign_ref=place.ref,
        passed=place.passed,
        elsewhere=place.elsewhere,
    )


def _refund(told: Fields, payment: Movement, refunded: Money, now: datetime) -> Movement:
    """Its number is the merchant's request for it; Alipay takes the order's where none is given."""
    (trade, order), request = payment.keys, told.line("out_biz_no", 64)
    return Movement(
        kind=Kind.REFUND,
        amount=refunded,
        occurred_at=_moment(told, now, "gmt_refund", "gmt_close", "notify_time"),
        keys=(Key("request", request or order.value),),
        refunds=trade,
        cumulative=True,
        campaign_ref=payment.campaign_ref,
        passed=payment.passed,
        elsewhere=payment.elsewhere,
    )


def _moment(told: Fields, now: datetime, *names: str) -> datetime:
    """The first of these that is given. They are naive, in the time of Shanghai."""
    name = next((name for name in names if told.line(name, 30)), names[0])
    text = told.needed(told.line, name, 30)
    if not _MOMENT.fullmatch(text):
        told.refuse(name, N_("A moment must be written as 2026-09-07 10:00:05"))
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=_SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        told.refuse(name, N_("A day or hour does not exist"))
    if moment.year < 2000:
        told.refuse(name, N_("A moment lies before there was Alipay"))
    return min(moment, now)
