"""The guarded fetch: one request, to public addresses only, bounded in size and in time (P8)."""

import contextlib
import http.client
import ssl
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Self
from urllib.parse import urljoin

import requests
import urllib3.exceptions
from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri
from urllib3.exceptions import NewConnectionError

from campaigns.platforms import connection, guard, proxy
from campaigns.platforms.base import (
    N_,
    Answer,
    Ask,
    ForbiddenAddress,
    TooLarge,
    Unreachable,
    Unreadable,
)
from campaigns.platforms.connection import Adapter
from campaigns.platforms.guard import Resolve, Target
from campaigns.platforms.proxy import Proxy
from config import VERSION, Settings

MOST_REDIRECTS = 3
MOST_ADDRESSES = 4  # of one name, tried one after the other
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Manners:
    """How we ask: under which name, whom besides the public, and how long and how much at most.

    `timeout` is in seconds and covers everything from the name's resolution to the last byte;
    `max_bytes` bounds the answer both as sent and unpacked. `proxy` leads to public addresses only:
    to what need not be public we connect ourselves.
    """

    user_agent: str
    allow_private: frozenset[str] = frozenset()
    timeout: float = 10.0
    max_bytes: int = 2_000_000
    resolve: Resolve = guard.system
    trust: ssl.SSLContext = field(default_factory=connection.public_trust)
    proxy: Proxy | None = None

    @cached_property
    def direct(self) -> Adapter:
        """Connections of our own, open for as long as these manners are held."""
        return Adapter(self.trust)

    @cached_property
    def led(self) -> Adapter:
        """Those to public addresses."""
        return Adapter(self.trust, self.proxy) if self.proxy else self.direct

    @classmethod
    def of(cls, given: Settings, timeout: float, max_bytes: int) -> Self:
        """As the operator set them."""
        return cls(
            user_agent(given.base_url),
            allow_private=given.poll_allow_private,
            timeout=timeout,
            max_bytes=max_bytes,
            proxy=proxy.parse(given.platform_proxy) if given.platform_proxy else None,
        )


def user_agent(contact: str) -> str:
    """Who we say we are (design §11). `contact` is the page where a platform finds people."""
    return f"Huiyin/{VERSION} (+{contact})"


def fetch(ask: Ask, manners: Manners) -> Answer:
    """Ask once, following up to three redirects of a GET, each checked like the first address.

    Any status is an answer. Raises `ForbiddenAddress`, `Unreachable`, `TooLarge` or
    `Unreadable`. Asking again asks again: nothing is kept but open connections, by `manners`. Any
    threads may ask with the same.
    """
    asked_at, url = datetime.now(UTC), ask.url
    with connection.deadline(manners.timeout), _translated(manners.timeout):
        for _ in range(MOST_REDIRECTS + 1):
            left = connection.seconds_left()
            target = guard.locate(url, manners.allow_private, manners.resolve, left)
            with contextlib.closing(_send(ask, target, manners)) as response:
                moved = _moved(ask, response)
                if moved is None:
                    body = _body(response, manners.max_bytes)
                    return Answer(response.status_code, _headers(response), body, asked_at, url)
            url = _joined(url, moved)
    raise Unreadable(N_("The address leads on more often than we follow"), MOST_REDIRECTS)


@contextlib.contextmanager
def _translated(timeout: float) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Unreachable(
            N_("No complete answer came within so many seconds"), f"{timeout:g}"
        ) from error
    except (requests.exceptions.SSLError, ssl.SSLError, urllib3.exceptions.SSLError) as error:
        raise Unreachable(N_("The server's certificate or encryption is not in order.")) from error
    except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
        raise Unreachable(N_("The connection failed or was cut off.")) from error


def _send(ask: Ask, target: Target, manners: Manners) -> Response:
    """The answer's head, from the first of the checked addresses that lets us connect."""
    adapter = manners.direct if target.allowed else manners.led
    *others, last = target.ips[:MOST_ADDRESSES]
    for ip in others:
        with contextlib.suppress(_NotConnected):
            return _send_to(adapter, _prepared(ask, target, ip, manners))
    return _send_to(adapter, _prepared(ask, target, last, manners))


class _NotConnected(Unreachable):
    """Nothing was sent, so another address of the same name may be tried."""


def _send_to(adapter: Adapter, request: PreparedRequest) -> Response:
    """Once more on a new connection, if an open one turns out to be closed (RFC 9112, 9.3.1).

    Servers close idle connections without a word. What we send may arrive twice: questions
    change nothing, and whoever takes webhooks must know an event that comes again.
    """
    before = connection.opened()
    try:
        return _send_once(adapter, request)
    except requests.Timeout:
        raise
    except requests.ConnectionError:
        if connection.opened() > before:
            raise
        # Others that were open may be closed as well.
        return _send_once(adapter.anew(), request)


def _send_once(adapter: Adapter, request: PreparedRequest) -> Response:
    left = connection.seconds_left()
    try:
        timeout = min(left, connection.LONGEST_CONNECT), left
        return adapter.send(request, stream=True, timeout=timeout)
    except requests.ConnectTimeout as error:
        raise _NotConnected(N_("The server does not answer.")) from error
    except requests.ConnectionError as error:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, NewConnectionError):
            raise _NotConnected(N_("The server does not take connections.")) from error
        raise


def _prepared(ask: Ask, target: Target, ip: str, manners: Manners) -> PreparedRequest:
    """The request with the checked address in place of the name, so that nothing resolves it again.

    `Host` keeps the name, and the connection takes SNI and the certificate's name from there.
    Put together by hand: the guard took the address apart already, and to have requests do all
    that again takes a fifth of a question's time.
    """
    authority = f"[{ip}]" if ":" in ip else ip
    whole = f"{target.address.scheme}://{authority}:{target.port}{target.address.target}"
    request = PreparedRequest()
    request.method, request.url, request.body = ask.method, requote_uri(whole), ask.body
    request.headers = CaseInsensitiveDict(ask.headers)
    request.headers["Host"] = target.host
    request.headers["User-Agent"] = manners.user_agent
    request.headers["Accept-Encoding"] = "gzip"
    if ask.body is not None:
        request.headers["Content-Length"] = str(len(ask.body))
    return request


def _moved(ask: Ask, response: Response) -> str | None:
    """Where a redirect leads. One that answers a POST is not followed: it would be sent twice."""
    if response.status_code not in _REDIRECTS or ask.method not in ("GET", "HEAD"):
        return None
    location = response.headers.get("Location")
    return location.encode("latin-1").decode("utf-8", "replace") if location else None


def _joined(url: str, moved: str) -> str:
    try:
        return urljoin(url, moved)
    except ValueError as error:
        raise ForbiddenAddress(
            N_("The address leads to something that is not an address.")
        ) from error


def _headers(response: Response) -> dict[str, str]:
    """Lower-case names; a value with control characters is left out."""
    return {k.lower(): v for k, v in response.headers.items() if v.isprintable()}


def _body(response: Response, max_bytes: int) -> bytes:
    unpack = _Unpacking(response.headers.get("Content-Encoding", ""), max_bytes)
    received, whole = 0, bytearray()
    # Not `stream`: for chunks it has a reader of its own, which trusts a negative size.
    while piece := response.raw.read(_PIECE, decode_content=False):
        received += len(piece)
        whole += unpack(piece)
        if received > max_bytes or len(whole) > max_bytes:
            raise TooLarge(N_("The answer has more bytes than we read"), max_bytes)
    if not unpack.complete:
        raise Unreadable(N_("The compressed answer ends in the middle."))
    return bytes(whole)


class _Unpacking:
    """Undoes `Content-Encoding` piece by piece, never unpacking more than one byte too much."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise Unreadable(N_("The answer is packed in a way that we did not ask for."))
        self._gzip = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
        self._left = max_bytes + 1
        self._started = False

    def __call__(self, piece: bytes) -> bytes:
        if self._gzip is None:
            return piece
        self._started = True
        try:
            unpacked = self._gzip.decompress(piece, self._left)
        except zlib.error as error:
            raise Unreadable(N_("The compressed answer is damaged.")) from error
        self._left -= len(unpacked)
        if self._left <= 0:
            raise TooLarge(N_("The answer grows too large when it is unpacked."))
        return unpacked

    @property
    def complete(self) -> bool:
        """An answer without any body (a 304) has nothing to unpack."""
        return self._gzip is None or self._gzip.eof or not self._started
