"""DKIM (RFC 6376, RFC 8463): a signature over a letter's headers and body, by the sender's domain.

Our own, since the library for it computes with RSA keys in Python and parses each letter anew; it
verifies ours in the tests.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

RSA, ED25519 = "rsa", "ed25519"
_BITS = 2048
# Headers that say what the letter is; those that a relay may add or change are not among them.
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version",
    b"content-type", b"list-id", b"list-archive", b"list-unsubscribe", b"list-unsubscribe-post",
    b"auto-submitted",
)  # fmt: skip
# Signed once more than they stand there, so that none can be added in front of ours (§8.15).
_OVERSIGNED = frozenset(
    {
        b"from",
        b"to",
        b"subject",
        b"date",
        b"reply-to",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
    }
)
_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]*\r\n)(?:[ \t][^\r\n]*\r\n)*)")
_SPACE = re.compile(rb"[ \t\r\n]+")
_RUN = re.compile(rb"[ \t]+")
_COLUMNS = 72


class Unreadable(ValueError):
    """A stored key is no key."""


@dataclass(frozen=True)
class Signer:
    """One domain's key, at `selector`._domainkey.`domain`. Any thread may sign."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return f"{RSA if isinstance(self.key, rsa.RSAPrivateKey) else ED25519}-sha256"

    def signed(self, message: bytes) -> bytes:
        """The message, which has CR LF, with a signature in front of it (relaxed/relaxed).

        The same message gives the same octets.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        fields = list(_fields(head + b"\r\n"))
        names = _names(fields)
        body_hash = b64encode(sha256(_relaxed_body(body)).digest())
        line = b"v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n\th=%s;\r\n\tbh=%s;\r\n\tb=" % (
            self.algorithm.encode(),
            self.domain.encode(),
            self.selector.encode(),
            _folded(names),
            body_hash,
        )
        data = b"".join([*_picked(fields, names), _relaxed(b"dkim-signature", line)])
        return b"DKIM-Signature: %s%s\r\n%s" % (line, _lines(self._sign(data)), message)

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        # RFC 8463 §3: Ed25519 signs the hash.
        return self.key.sign(sha256(data).digest())

    def record(self) -> tuple[str, str]:
        """The DNS record by which others verify: its name and what it says (TXT)."""
        public = self.key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            octets = public.public_bytes(serialization.Encoding.DER, form)
        else:
            octets = public.public_bytes_raw()
        kind = self.algorithm.partition("-")[0]
        value = f"v=DKIM1; k={kind}; p={b64encode(octets).decode()}"
        return f"{self.selector}._domainkey.{self.domain}", value


def new_key(kind: str) -> bytes:
    """A private key of kind `RSA` (2048 bits) or `ED25519`, as `signer` reads it."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if kind == ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signer(domain: str, selector: str, private: bytes) -> Signer:
    """Raises `Unreadable`."""
    try:
        key = serialization.load_der_private_key(private, password=None)
    except ValueError as error:
        raise Unreadable("The key cannot be read.") from error
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise Unreadable("The key is neither RSA nor Ed25519.")
    return Signer(domain, selector, key)


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for found in _HEADER.finditer(head):
        yield found[1].lower(), found[2]


def _names(fields: list[tuple[bytes, bytes]]) -> list[bytes]:
    there = Counter(name for name, _ in fields)
    return [name for name in _SIGNED for _ in range(there[name] + (name in _OVERSIGNED))]


def _picked(fields: list[tuple[bytes, bytes]], names: list[bytes]) -> Iterator[bytes]:
    """Of several headers of a name the last comes first (§5.4.2); one too many is nothing."""
    left = list(reversed(fields))
    for name in names:
        found = next((field for field in left if field[0] == name), None)
        if found:
            left.remove(found)
            yield _relaxed(*found) + b"\r\n"


def _relaxed(name: bytes, value: bytes) -> bytes:
    return name + b":" + _SPACE.sub(b" ", value).strip()


def _relaxed_body(body: bytes) -> bytes:
    """§3.4.4: runs of space are one, none ends a line, no empty lines end the body."""
    if b" " in body or b"\t" in body:
        body = _RUN.sub(b" ", body).replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _folded(names: list[bytes]) -> bytes:
    lines, line = [], b""
    for name in names:
        if len(line) + len(name) > _COLUMNS:
            lines.append(line)
            line = b""
        line += name + b":"
    return b"\r\n\t ".join([*lines, line]).removesuffix(b":")


def _lines(signature: bytes) -> bytes:
    text = b64encode(signature)
    return b"\r\n\t ".join(text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS))
