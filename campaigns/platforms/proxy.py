"""The operator's proxy: it connects us to the address that was checked, and resolves nothing."""

import re
import socket
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from urllib3.exceptions import NewConnectionError

from campaigns.platforms import guard
from campaigns.platforms.base import N_, Unreachable

# What a failure's reason begins with where the proxy is there and will not have us.
REFUSES = N_("The proxy does not lead us to the platform")
_LONGEST_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
# What a proxy says of an address that it cannot connect to; another of the same name may do.
_NOBODY_THERE = frozenset({502, 503, 504})


class Proxy(NamedTuple):
    """Where it stands, and what it wants to hear in `Proxy-Authorization`."""

    host: str
    port: int
    authorization: str | None = None


def parse(url: str) -> Proxy:
    """`http://[user:password@]host:port`, as the settings have checked it."""
    parts = urlsplit(url)
    named = ":".join(unquote(part or "") for part in (parts.username, parts.password))
    authorization = f"Basic {b64encode(named.encode()).decode()}" if parts.username else None
    return Proxy(parts.hostname or "", parts.port or 80, authorization)


def lead(wire: socket.socket, proxy: Proxy, ip: str, port: int) -> None:
    """Have the proxy connect `wire` to an address (CONNECT, RFC 9110, 9.3.6).

    Asked for by number and never by name: that is what was checked, and what the proxy resolved
    might be another. Raises `Unreachable`, or `NewConnectionError` where nobody is there.
    """
    where = f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    wire.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"))
    found = _STATUS.match(_head(wire))
    status = int(found[1]) if found else 0
    if status in _NOBODY_THERE:
        raise NewConnectionError(proxy, f"the proxy answers {status}")  # type: ignore[arg-type]  # kept, never looked at
    if not 200 <= status < 300:
        raise Unreachable(REFUSES, status)


def call(proxy: Proxy, seconds: float) -> None:
    """Connect and hang up, nothing asked for. Raises `Unreachable`."""
    ip = guard.system(proxy.host, seconds)[0]
    try:
        socket.create_connection((ip, proxy.port), seconds).close()
    except OSError as error:
        raise Unreachable(N_("The proxy does not take connections.")) from error


def _head(wire: socket.socket) -> bytes:
    """Byte by byte: what follows the head is the platform's."""
    head, piece = bytearray(), bytearray(1)
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        if not wire.recv_into(piece):
            break
        head += piece
    return bytes(head) if head.endswith(b"\r\n\r\n") else b""
