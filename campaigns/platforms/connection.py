"""Connections for the guarded fetch: to an address already checked, and over when time is up."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, cast

import certifi
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from campaigns.platforms import guard
from campaigns.platforms.base import N_, Unreachable
from campaigns.platforms.proxy import Proxy, lead

LONGEST_CONNECT = 3.0  # seconds, so that a name's second address still gets its turn
_MOST_KEPT = 64  # addresses to which connections stay open, and such connections to one of them
_LONGEST_LINE = 65536  # what http.client allows, too


class _Thread(threading.local):
    """What belongs to one thread: when its fetch must be over, and what it opened."""

    def __init__(self) -> None:
        self.ends = 0.0
        self.opened = 0


_thread = _Thread()


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything this thread reads and writes meanwhile is over `seconds` from now."""
    _thread.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _thread.ends = 0.0


def seconds_left() -> float:
    """Raises `TimeoutError` when there are none."""
    left = _thread.ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("time is up")
    return left


def opened() -> int:
    """How many connections this thread has opened so far."""
    return _thread.opened


@cache
def public_trust() -> ssl.SSLContext:
    """The public certificate authorities."""
    return trusting(certifi.where())


def trusting(cafile: str) -> ssl.SSLContext:
    """A context that believes these authorities and makes sockets that keep the deadline."""
    context = ssl.create_default_context(cafile=cafile)
    context.sslsocket_class = _SecureSocket
    return context


class _PlainSocket(socket.socket):
    """Each read and write may take what is left of the fetch's time, however they drip."""

    def recv_into(self, *args: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(seconds_left())
        super().sendall(*args)


class _SecureSocket(ssl.SSLSocket):
    """The same, encrypted."""

    def recv_into(self, *args: Any) -> int:
        self.settimeout(seconds_left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(seconds_left())
        super().sendall(*args)


class _Response(http.client.HTTPResponse):
    """Refuses what the plain one takes for the size of a chunk.

    -1 would read until the sender stops, past every limit of size; and a line that breaks off
    after its first digit, a nought, would pass for the end of the body.
    """

    def _read_next_chunk_size(self) -> int:
        line = self.fp.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ValueError("a chunk's size that breaks off")
        size = int(line.partition(b";")[0], 16)
        if size < 0:
            raise ValueError("a chunk of negative size")
        return size


class _Opening(HTTPConnection):
    """Opens our kind of socket; `host` is an address, so there is nothing to resolve."""

    response_class = _Response
    through: Proxy | None = None

    def _new_conn(self) -> socket.socket:
        new = self._connected(self.host, self.port) if self.through is None else self._led()
        _thread.opened += 1
        return new

    def _led(self) -> socket.socket:
        """Connected by the operator's proxy, which may stand anywhere."""
        proxy = cast(Proxy, self.through)
        try:
            wire = self._connected(guard.system(proxy.host, seconds_left())[0], proxy.port)
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise Unreachable(N_("The proxy does not take connections.")) from error
        try:
            lead(wire, proxy, self.host, self.port)
        except TimeoutError as error:
            wire.close()
            raise ConnectTimeoutError(self, "no connection in time") from error
        except BaseException:
            wire.close()
            raise
        return wire

    def _connected(self, ip: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        new = _PlainSocket(family, socket.SOCK_STREAM)
        try:
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            new.settimeout(min(seconds_left(), LONGEST_CONNECT))
            new.connect((ip, port))
        except TimeoutError as error:
            new.close()
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            new.close()
            raise NewConnectionError(self, str(error)) from error
        return new


class _SecureOpening(_Opening, HTTPSConnection):
    """The same, before it is encrypted."""


class _Led(HTTPConnectionPool):
    """Tells its connections through which proxy they go."""

    def __init__(self, *args: Any, through: Proxy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._through = through

    def _new_conn(self) -> Any:
        new: Any = super()._new_conn()
        new.through = self._through
        return new


class _Pool(_Led):
    ConnectionCls = _Opening


class _SecurePool(_Led, HTTPSConnectionPool):
    ConnectionCls = _SecureOpening


class Adapter(HTTPAdapter):
    """Connects to the address in the URL, and verifies the name in `Host`. For any threads.

    Pools are kept per address, port and name: an open connection is used again only for the
    name whose certificate it showed, at an address that was checked for this very request. They
    are closed once nobody holds this any more.

    `through` is the one proxy there is: none from the environment is ever used. No session stands
    before it, and so no cookies, no redirects followed unchecked and no passwords from files.
    """

    def __init__(self, trust: ssl.SSLContext, through: Proxy | None = None) -> None:
        self._trust, self._through = trust, through
        super().__init__(pool_connections=_MOST_KEPT, pool_maxsize=_MOST_KEPT, max_retries=0)

    def anew(self) -> "Adapter":
        """The same without any open connection."""
        return Adapter(self._trust, self._through)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pools = {"http": _Pool, "https": _SecurePool}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: partial(pool, through=self._through) for scheme, pool in pools.items()
        }

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """Without a look for proxies, of which there are none here."""
        host, how = self.build_connection_pool_key_attributes(request, verify, cert)
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(**host, pool_kwargs=how)
        return pool

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """Likewise."""
        return request.path_url

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        kwargs: dict[str, Any]
        host, kwargs = super().build_connection_pool_key_attributes(request, verify, cert)  # type: ignore[assignment]  # urllib3 takes more than requests knows
        if host["scheme"] == "https":
            kwargs["ssl_context"] = self._trust
            kwargs["server_hostname"] = _name(str(request.headers["Host"]))
        return host, kwargs

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing to add: the context already holds whom to believe."""


def _name(host: str) -> str:
    """The name in a `Host` header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
