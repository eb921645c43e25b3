"""Keys by purpose: sealing stored secrets, hashing addresses and link tokens (design §5, 12)."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_TOKEN_BYTES = 24

DataKeys = Sequence[tuple[str, bytes]]


class Undecryptable(Exception):
    """A stored secret fits none of DATA_KEYS, or was altered, or belongs to another row."""


def encrypt(keys: DataKeys, secret: bytes, purpose: str) -> str:
    """Encrypt under the newest key (AES-256-GCM). `purpose` binds the value to where it stands."""
    name, key = keys[0]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return f"{name}:{(nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())).hex()}"


def decrypt(keys: DataKeys, stored: str, purpose: str) -> bytes:
    """Raises `Undecryptable`, whose message names the key that is missing and nothing secret."""
    name, _, text = stored.partition(":")
    key = dict(keys).get(name)
    if key is None:
        raise Undecryptable(f"A stored secret was encrypted with {name!r}. Add it to DATA_KEYS.")
    try:
        sealed = bytes.fromhex(text)
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (ValueError, InvalidTag) as error:
        raise Undecryptable("A stored secret was altered or stands in the wrong row.") from error


def key_id(stored: str) -> str:
    """The id of the key a stored secret was encrypted with."""
    return stored.partition(":")[0]


def address_hash(pepper: bytes, address: str) -> str:
    """The permanent pseudonym of a normalised mail address: 64 hex digits.

    It outlives the address, so that a suppressed one stays suppressed after erasure.
    """
    return hmac.new(pepper, b"address\0" + address.encode(), hashlib.sha256).hexdigest()


def new_token() -> str:
    """A token for a link: 192 random bits, URL-safe, 32 characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is stored of a token: 64 hex digits. The token is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def derived(key: bytes, purpose: str, value: str, length: int = 32) -> str:
    """A keyed digest in hex, for ids that must not be forged (Message-ID, VERP)."""
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256").hex()[:length]
