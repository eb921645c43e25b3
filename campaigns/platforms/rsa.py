"""RSA signatures of payment providers (PKCS #1 v1.5, SHA-256), by keys as their consoles show."""

import base64
import binascii
import re
from collections.abc import Iterable
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from campaigns.platforms.base import N_, BadKeys

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)
SMALLEST, LARGEST = 2048, 8192  # bits: RSA2 begins at the former; the latter bounds our work


@lru_cache(maxsize=256)
def public_key(text: str, setting: str) -> RSAPublicKey:
    """The key that a certificate, a PEM or bare base64 (as Alipay's console shows it) holds.

    Raises `BadKeys`, which names `setting`.
    """
    if "PRIVATE KEY" in text:
        raise BadKeys(setting, N_("This is a private key. Give the platform's public key."))
    try:
        key = _loaded(text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKeys(
            setting, N_("This is neither a public key nor a certificate (PEM or base64).")
        ) from error
    if not isinstance(key, RSAPublicKey) or not SMALLEST <= key.key_size <= LARGEST:
        raise BadKeys(setting, N_("This is not an RSA key of at least 2048 bits."))
    return key


def signed(signature: str, message: bytes, keys: Iterable[str]) -> bool:
    """Whether the signature (base64) over the message was made with one of the keys. Never raises.

    A key that cannot be read signs nothing: it was refused when it was given, so it was damaged.
    """
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(_holds(raw, message, text) for text in keys)


def throwaway() -> tuple[RSAPrivateKey, str]:
    """A private key for a sample, and its public half as PEM."""
    private = generate_private_key(65537, SMALLEST)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private, public.decode()


def signature(message: bytes, key: RSAPrivateKey) -> str:
    """The key's signature over the message, in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def _holds(signature: bytes, message: bytes, key: str) -> bool:
    try:
        public_key(key, "").verify(signature, message, PKCS1v15(), SHA256())
    except (InvalidSignature, BadKeys):
        return False
    return True


def _loaded(text: str) -> object:
    """Also where its lines were joined, or joined by what only looks like an end of line."""
    found = _PEM.search(text)
    label, inner = found.groups() if found else ("PUBLIC KEY", text)
    der = base64.b64decode("".join(inner.replace("\\n", "").split()), validate=True)
    if label == "CERTIFICATE":
        return x509.load_der_x509_certificate(der).public_key()
    return load_der_public_key(der)
