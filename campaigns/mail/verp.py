"""Bounce addresses and Message-IDs: they name the delivery and cannot be made up (VERP)."""

import hmac
import re
from base64 import b32encode
from hashlib import sha256

from campaigns.crypto import derived

_TAG_OCTETS, _TAG_LENGTH = 10, 16  # 80 bits in base32
_LOCAL = re.compile(rf"bounce\+([0-9a-f]{{1,16}})=([a-z2-7]{{{_TAG_LENGTH}}})")
_MESSAGE_ID = re.compile(r"<?([0-9]{1,19})\.([0-9a-f]{16})@[^\s<>@]{1,255}>?", re.ASCII)
_LARGEST_ID = 2**63 - 1


def bounce_address(delivery: int, key: bytes, domain: str) -> str:
    """The envelope sender for a delivery: bounce+<id in hex>=<tag>@domain.

    Always the same for the same delivery and key. Lower case only, since relays alter case, and
    at most 40 octets before the at sign, of the 64 that RFC 5321 §4.5.3.1.1 allows.
    """
    return f"bounce+{delivery:x}={_tag(delivery, key)}@{domain}"


def delivery_behind(recipient: str, key: bytes) -> int | None:
    """The delivery that a returned letter's recipient names; None if it was not made with `key`."""
    found = _LOCAL.fullmatch(recipient.rpartition("@")[0].lower())
    if not found:
        return None
    delivery = int(found[1], 16)
    if delivery > _LARGEST_ID:
        return None
    return delivery if hmac.compare_digest(found[2], _tag(delivery, key)) else None


def looks_like_ours(recipient: str) -> bool:
    """Whether it has the form of a bounce address, made with any key."""
    return bool(_LOCAL.fullmatch(recipient.rpartition("@")[0].lower()))


def message_id(delivery: int, key: bytes, domain: str) -> str:
    """The Message-ID of a delivery's letter. Always the same for the same delivery and key."""
    return f"<{delivery}.{_message_tag(delivery, key)}@{domain}>"


def delivery_named(message_id: str, key: bytes) -> int | None:
    """The delivery whose letter has this Message-ID; None if it was not made with `key`.

    Angle brackets may be missing, as where a provider repeats it.
    """
    found = _MESSAGE_ID.fullmatch(message_id.strip())
    if not found or int(found[1]) > _LARGEST_ID:
        return None
    delivery = int(found[1])
    return delivery if hmac.compare_digest(found[2], _message_tag(delivery, key)) else None


def _message_tag(delivery: int, key: bytes) -> str:
    return derived(key, "message-id", str(delivery), 16)


def _tag(delivery: int, key: bytes) -> str:
    digest = hmac.digest(key, b"bounce %d" % delivery, sha256)
    return b32encode(digest[:_TAG_OCTETS]).decode().lower()
