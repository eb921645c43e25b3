"""Standard Webhooks 1.0.0: how a partner signs what it posts, and what the post says."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from campaigns.money import Money
from campaigns.platforms import fields
from campaigns.platforms.base import (
    LARGEST_AMOUNT,
    LARGEST_NOTICE,
    LONGEST_ID,
    N_,
    BadKeys,
    BadSignature,
    Giver,
    Key,
    Kind,
    MalformedNotice,
    Movement,
    NotUnderstood,
    StaleNotice,
)
from campaigns.platforms.fields import NO_GIFT, Fields
from campaigns.platforms.scheme import UNKNOWN_KIND, Keys, Reply, Sample, Setting

LABEL = N_("Standard Webhooks")
SETTINGS = (
    Setting(
        "secret",
        N_("Secret"),
        N_("Leave it empty and we make one; give one only if the sender insists on its own."),
        secret=True,
        needed=False,
        made=True,
    ),
)
# The specification leaves it open; every official library takes five minutes, both ends included.
TOLERANCE = timedelta(minutes=5)

_PREFIX = "whsec_"
_ID = re.compile(r"[!-\-/-~]{1,200}", re.ASCII)  # visible, without the full stop that separates
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}", re.ASCII)
_KINDS = {
    "donation.succeeded": (Kind.DONATION, "trade"),
    "donation.refunded": (Kind.REFUND, "refund"),
    "donation.charged_back": (Kind.CHARGEBACK, "chargeback"),
    "match.confirmed": (Kind.MATCH, "match"),
}


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check(keys: Keys) -> None:
    """Raises `BadKeys` unless there is a secret and each is `whsec_` and 24 to 64 bytes."""
    if not keys.valid("secret"):
        raise BadKeys("secret", N_("This is needed."))
    for secret in keys.valid("secret"):
        _key(secret)


def source(keys: Keys) -> None:
    """A partner's own name is what its money comes through."""


def verify(headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> str:
    """The `webhook-id`, once the signature holds.

    Raises `MalformedNotice`, `StaleNotice` or `BadSignature`. Any one `v1` signature of the
    list by any one secret suffices; other versions are skipped, so that a sender can introduce
    a new one beside it.
    """
    found = {name.lower(): value for name, value in headers.items()}
    event_id = _header(found, "webhook-id", _ID)
    timestamp = _header(found, "webhook-timestamp", _TIMESTAMP)
    offered = found.get("webhook-signature", "")
    if not offered or len(offered) > 4096:
        raise MalformedNotice(N_("A header is missing or too long"), "webhook-signature")
    if len(body) > LARGEST_NOTICE:
        raise MalformedNotice(N_("The body is larger than we take, in bytes"), LARGEST_NOTICE)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise StaleNotice(N_("It was signed more than five minutes away from our clock."))
    expected = list(_signatures(f"{event_id}.{timestamp}.".encode() + body, keys))
    if not any(_is_one_of(entry, expected) for entry in offered.split()):
        raise BadSignature(N_("No signature in webhook-signature was made with a secret we hold."))
    return event_id


def movements(body: bytes, keys: Keys, now: datetime) -> list[Movement]:
    """The one movement that a verified body tells of.

    Money cannot have moved after we were told, so a sender's clock that runs ahead is cut to
    `now`. Raises `MalformedNotice`, or `NotUnderstood` for a type that is not ours.
    """
    post = fields.parse(body, MalformedNotice)
    kind, scheme = _kind(post)
    told_at = post.needed(post.moment, "timestamp")
    data = post.needed(post.inner, "data")
    occurred_at = data.moment("occurred_at") or told_at
    if occurred_at > told_at + timedelta(days=1):
        data.refuse("occurred_at", N_("A moment must not be later than the notice's own"))
    return [
        Movement(
            kind=kind,
            amount=_amount(data),
            occurred_at=min(occurred_at, now),
            keys=(Key(scheme, data.needed(data.line, "external_id", 128)),),
            refunds=_refunds(data, kind),
            campaign_ref=data.line("campaign_ref", LONGEST_ID),
            donor=_giver(data.inner("donor")),
            message=data.words("message", 1000),
        )
    ]


def essence(body: bytes, keys: Keys) -> bytes:
    """All of it: a sender keeps what it sends."""
    return body


def legible(body: bytes, keys: Keys) -> Mapping[str, object]:
    return fields.parse(body, MalformedNotice).members


def sample(keys: Keys, now: datetime) -> Sample:
    """Signed with the newest secret."""
    event_id = f"sample_{secrets.token_hex(8)}"
    data = {"external_id": event_id, "amount": "1.00", "currency": "CNY"}
    told = {"type": "donation.succeeded", "timestamp": now.isoformat(), "data": data}
    body = json.dumps(told).encode()
    signed = f"{event_id}.{int(now.timestamp())}.".encode() + body
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": "v1," + next(_signatures(signed, keys)).decode(),
    }
    return Sample(headers, body, keys)


def reply(status: int, reason: str) -> Reply:
    """JSON with the reason; senders look at the status only."""
    body = json.dumps({"ok": status < 300, "reason": reason}, ensure_ascii=False)
    return Reply(status, "application/json", body.encode())


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name)
    if value is None:
        raise MalformedNotice(N_("A header is missing"), name)
    if not form.fullmatch(value):
        raise MalformedNotice(N_("A header is not in its form"), name)
    return value


def _signatures(signed: bytes, keys: Keys) -> Iterator[bytes]:
    for secret in keys.valid("secret"):
        try:
            key = _key(secret)
        except BadKeys:
            # Refused when the endpoint was made, so this was damaged since. It signs nothing.
            continue
        yield base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeys("secret", N_("It must be whsec_ followed by base64.")) from error
    if not 24 <= len(key) <= 64:
        raise BadKeys("secret", N_("It must hold 24 to 64 bytes."))
    return key


def _is_one_of(entry: str, expected: list[bytes]) -> bool:
    version, _, value = entry.partition(",")
    if version != "v1" or not value.isascii():
        return False
    return any(hmac.compare_digest(value.encode(), signature) for signature in expected)


def _kind(post: Fields) -> tuple[Kind, str]:
    name = post.line("type", 100)
    if name not in _KINDS:
        raise NotUnderstood(UNKNOWN_KIND, name)
    return _KINDS[name]


def _amount(data: Fields) -> Money:
    currency = data.needed(data.currency, "currency")
    amount = data.needed(data.amount, "amount", currency)
    if amount.minor <= 0:
        data.refuse(
            "amount", N_("An amount must be above zero; the type says in which direction it moved")
        )
    if amount.minor > LARGEST_AMOUNT:
        data.refuse("amount", NO_GIFT)
    return amount


def _refunds(data: Fields, kind: Kind) -> Key | None:
    donation = data.line("refunds", 128)
    if donation is None:
        return None
    if kind not in (Kind.REFUND, Kind.CHARGEBACK):
        data.refuse("refunds", N_("A field belongs to refunds and chargebacks alone"))
    return Key("trade", donation)


def _giver(donor: Fields | None) -> Giver | None:
    if donor is None:
        return None
    locale = donor.line("locale", 16)
    if locale is not None and not _LOCALE.fullmatch(locale):
        donor.refuse("locale", N_("A language must be written as zh-Hans or en"))
    return Giver(
        name=donor.words("name", 200),
        email=donor.words("email", 320),
        locale=locale,
        public_name=donor.flag("public_name"),
        updates=donor.flag("updates"),
    )
