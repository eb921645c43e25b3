"""Whom we may ask: public addresses only, whatever a person, a message or a redirect says (P8)."""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import idna

from campaigns.platforms import addresses
from campaigns.platforms.addresses import Address
from campaigns.platforms.base import N_, ForbiddenAddress, Unreachable

# A name and the seconds there are; returns every address the name has now, or raises Unreachable.
Resolve = Callable[[str, float], Sequence[str]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = frozenset({80, 443})
_LONGEST = 2000
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*")
# What inet_aton takes for a number: 127.1, 0x7f.1, 0177.0.0.1, 2130706433.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# Global to some versions of `ipaddress`, but not the internet: Azure's host (metadata), protocol
# assignments with Teredo among them, 6to4 relays, local NAT64, documentation, segment routing.
_NEVER = [
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
    )
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True)
class Target:
    """An address that may be asked, and where: connect to one of `ips` and nowhere else.

    `allowed` is whether the operator named it as one that need not be public.
    """

    address: Address
    port: int
    ips: tuple[str, ...]
    allowed: bool = False

    @property
    def host(self) -> str:
        """The value of the header `Host`."""
        return self.address.origin.partition("://")[2]


def locate(url: str, allow_private: frozenset[str], resolve: Resolve, seconds: float) -> Target:
    """Resolve once and check every address found. Raises `ForbiddenAddress` or `Unreachable`.

    `allow_private` names hosts (`feed.internal`), or hosts with a port that is not 80 or 443
    (`127.0.0.1:9001`), that the operator lets us reach although they are not public.
    """
    address = addresses.split(url, _LONGEST)
    if address is None:
        raise ForbiddenAddress(N_("The address is not http or https, or holds what it should not."))
    address = address._replace(host=_canonical(address.host))
    port = address.port or (443 if address.scheme == "https" else 80)
    allowed = _is_allowed(address.host, port, allow_private)
    if port not in _PORTS and not allowed:
        raise ForbiddenAddress(N_("We ask on the ports 80 and 443 only"), port)
    literal = _literal(address.host)
    ips = [str(literal)] if literal else list(resolve(address.host, seconds))
    if not ips:
        raise Unreachable(N_("The name has no address"), address.host)
    if not allowed and not all(map(is_public, ips)):
        raise ForbiddenAddress(N_("The address is not on the public internet"), address.host)
    return Target(address, port, tuple(ips), allowed)


def is_public(ip: str) -> bool:
    """Whether an address is one of the public internet's, also by what is embedded in it."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = _embedded(address)
        if inner is not None:
            return is_public(str(inner))
        if address not in _GLOBAL_IPV6:
            return False
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def system(
    host: str, seconds: float, look_up: Callable[..., list[Any]] = socket.getaddrinfo
) -> Sequence[str]:
    """Ask the system's resolver, which knows no time limit of its own: hence the thread."""
    found: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

    def ask() -> None:
        try:
            known = look_up(host, None, type=socket.SOCK_STREAM)
            found.put([str(sockaddr[0]) for *_, sockaddr in known])
        except (OSError, UnicodeError) as error:
            found.put(error)

    Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    try:
        outcome = found.get(timeout=max(seconds, 0))
    except Empty:
        raise Unreachable(N_("The name was not resolved in time"), host) from None
    if isinstance(outcome, Exception):
        raise Unreachable(N_("The name has no address"), host) from outcome
    return outcome


def _canonical(host: str) -> str:
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").rstrip(".")
        except idna.IDNAError as error:
            raise ForbiddenAddress(N_("The host is not a name that can be.")) from error
    literal = _literal(host)
    if literal is not None:
        return str(literal)
    if _NUMERIC.fullmatch(host) or not _HOST.fullmatch(host):
        raise ForbiddenAddress(N_("The host is written in an odd way. Write a name or 192.0.2.1."))
    return host


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_allowed(host: str, port: int, allow_private: frozenset[str]) -> bool:
    named = f"[{host}]" if ":" in host else host
    return f"{named}:{port}" in allow_private or (
        port in _PORTS and not allow_private.isdisjoint({host, named})
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to this IPv6 address ends at."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
