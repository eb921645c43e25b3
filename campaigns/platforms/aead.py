"""What payment providers encrypt with a key that both sides hold: AEAD_AES_256_GCM (RFC 5116)."""

import base64
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from campaigns.platforms.base import LARGEST_NOTICE, N_
from campaigns.platforms.fields import Fields

CIPHER = "AEAD_AES_256_GCM"
_NONCE_BYTES = 12


def opened(resource: Fields, keys: Iterable[str]) -> bytes:
    """What a resource holds, decrypted with the first of the keys that fits.

    It names its algorithm, nonce, associated data and ciphertext (base64). Raises the error of
    `resource`, whatever is wrong with them.
    """
    if resource.line("algorithm", 32) != CIPHER:
        resource.refuse("algorithm", N_("A field must have another value"), CIPHER)
    nonce = resource.needed(resource.line, "nonce", 64).encode()
    if len(nonce) != _NONCE_BYTES:
        resource.refuse("nonce", N_("A field must have so many bytes"), _NONCE_BYTES)
    associated = (resource.line("associated_data", 64) or "").encode()
    text = resource.needed(resource.line, "ciphertext", LARGEST_NOTICE)
    try:
        locked = base64.b64decode(text, validate=True)
    except ValueError:
        resource.refuse("ciphertext", N_("A field must be base64"))
    found = (_opened(key, nonce, locked, associated) for key in keys)
    plain = next((plain for plain in found if plain is not None), None)
    if plain is None:
        resource.refuse("ciphertext", N_("It cannot be decrypted with a key that we hold"))
    return plain


def sealed(plain: bytes, key: str, associated: str) -> dict[str, str]:
    """The members of a resource that `opened` opens."""
    nonce = secrets.token_hex(_NONCE_BYTES // 2)
    locked = AESGCM(key.encode()).encrypt(nonce.encode(), plain, associated.encode())
    return {
        "algorithm": CIPHER,
        "ciphertext": base64.b64encode(locked).decode(),
        "associated_data": associated,
        "nonce": nonce,
    }


def _opened(key: str, nonce: bytes, locked: bytes, associated: bytes) -> bytes | None:
    try:
        return AESGCM(key.encode()).decrypt(nonce, locked, associated)
    except (InvalidTag, ValueError):
        return None
