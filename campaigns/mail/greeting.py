"""How an SMTP session begins: greeting, EHLO, STARTTLS, AUTH, and what the relay offers."""

import ssl
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Self

from campaigns.mail.address import Address, masked
from campaigns.mail.relay import Relay, Security
from campaigns.mail.transport import Unreachable
from campaigns.mail.wire import Reply, Wire


@dataclass(frozen=True, slots=True)
class Offers:
    """The extensions that matter to us, as the last EHLO announced them."""

    pipelining: bool = False  # RFC 2920
    chunking: bool = False  # RFC 3030
    eight_bit: bool = False  # RFC 6152
    smtputf8: bool = False  # RFC 6531
    size: bool = False  # RFC 1870
    largest: int = 0  # octets; 0 where the relay names no limit
    starttls: bool = False  # RFC 3207
    mechanisms: frozenset[str] = frozenset()  # RFC 4954

    @classmethod
    def read(cls, reply: Reply) -> Self:
        """What the lines after the first say; what is unknown or malformed counts as not said."""
        said: dict[str, list[str]] = {}
        for line in reply.lines[1:]:
            # Some old relays write AUTH=LOGIN besides the standard's AUTH LOGIN.
            keyword, _, rest = line.upper().replace("AUTH=", "AUTH ").partition(" ")
            said.setdefault(keyword, []).extend(rest.split())
        limit = "".join(said.get("SIZE", [])[:1])
        return cls(
            pipelining="PIPELINING" in said,
            chunking="CHUNKING" in said,
            eight_bit="8BITMIME" in said,
            smtputf8="SMTPUTF8" in said,
            size="SIZE" in said,
            largest=int(limit) if limit.isascii() and limit.isdigit() else 0,
            starttls="STARTTLS" in said,
            mechanisms=frozenset(said.get("AUTH", [])),
        )

    @property
    def in_one_flight(self) -> bool:
        """Whether a letter's envelope and content may travel together."""
        return self.pipelining and self.chunking

    def objection(self, to: Address, content: bytes) -> str | None:
        """Why this relay could not take such a letter, or None. Saves offering it in vain."""
        if to.needs_smtputf8 and not self.smtputf8:
            return "The relay takes no addresses beyond ASCII (SMTPUTF8)."
        if not self.eight_bit and not content.isascii():
            return "The relay takes no letters beyond ASCII (8BITMIME)."
        if 0 < self.largest < len(content):
            return f"The letter is larger than the {self.largest} octets that the relay takes."
        return None

    def options(self, to: Address, content: bytes) -> str:
        """What follows the sender in MAIL, from its leading space on."""
        size = f" SIZE={len(content)}" if self.size else ""
        body = "" if content.isascii() else " BODY=8BITMIME"
        return size + body + (" SMTPUTF8" if to.needs_smtputf8 else "")


def opened(wire: Wire, relay: Relay, context: ssl.SSLContext | None) -> Offers:
    """Bring a fresh connection to where letters can be offered. Raises `Unreachable`, `Dropped`.

    Nothing is sent in clear if the relay's address asks for encryption.
    """
    if relay.security is Security.TLS:
        _encrypt(wire, relay, context)
    _demand(wire.reply(), 2, "greeting")
    offers = _hello(wire)
    if relay.security is Security.STARTTLS:
        if not offers.starttls:
            raise Unreachable("The relay offers no encryption (STARTTLS).", permanent=True)
        _demand(wire.command(b"STARTTLS\r\n"), 2, "STARTTLS")
        _encrypt(wire, relay, context)
        offers = _hello(wire)
    if relay.user is not None:
        _log_in(wire, relay.user, relay.password, offers.mechanisms)
    return offers


def _encrypt(wire: Wire, relay: Relay, context: ssl.SSLContext | None) -> None:
    try:
        wire.start_tls(context or _trusted(), relay.host)
    except ssl.SSLCertVerificationError as error:
        reason = f"The relay's certificate is not trusted: {error.verify_message}."
        raise Unreachable(reason, permanent=True) from error


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _hello(wire: Wire) -> Offers:
    name = wire.own_address().encode("ascii")
    reply = wire.command(b"EHLO " + name + b"\r\n")
    if reply.kind == 2:
        return Offers.read(reply)
    _demand(wire.command(b"HELO " + name + b"\r\n"), 2, "HELO")
    return Offers()


def _log_in(wire: Wire, user: str, password: str, mechanisms: frozenset[str]) -> None:
    if "PLAIN" in mechanisms:
        secret = b64encode(f"\0{user}\0{password}".encode())
        reply = wire.command(b"AUTH PLAIN " + secret + b"\r\n")
    elif "LOGIN" in mechanisms:
        reply = wire.command(b"AUTH LOGIN\r\n")
        for answer in (user, password):
            _demand(reply, 3, "AUTH")
            reply = wire.command(b64encode(answer.encode()) + b"\r\n")
    else:
        raise Unreachable("The relay offers no login that we know (PLAIN, LOGIN).", permanent=True)
    _demand(reply, 2, "AUTH")


def _demand(reply: Reply, kind: int, step: str) -> None:
    if reply.kind != kind:
        reason = f"The relay refused {step}: {reply.code} {masked(reply.text)[:200]}"
        raise Unreachable(reason, permanent=reply.kind == 5)
