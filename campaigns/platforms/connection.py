"""Connections for the guarded fetch: to an address already checked, and over when time is up."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import certifi
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

LONGEST_CONNECT = 3.0  # seconds, so that a name's second address still gets its turn
_LONGEST_LINE = 65536  # what http.client allows, too


class _Thread(threading.local):
    """What belongs to one thread: its connections, and when its fetch must be over."""

    def __init__(self) -> None:
        self.ends = 0.0
        self.opened = 0
        self.adapters: dict[ssl.SSLContext, HTTPAdapter] = {}


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


def adapter(trust: ssl.SSLContext) -> HTTPAdapter:
    """This thread's connections. No session stands before them, and so no cookies, no redirects
    followed unchecked, no proxies and no passwords from the environment."""
    if trust not in _thread.adapters:
        _thread.adapters[trust] = _Adapter(trust)
    return _thread.adapters[trust]


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

    def _new_conn(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        new = _PlainSocket(family, socket.SOCK_STREAM)
        try:
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            new.settimeout(min(seconds_left(), LONGEST_CONNECT))
            new.connect((self.host, self.port))
        except TimeoutError as error:
            new.close()
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            new.close()
            raise NewConnectionError(self, str(error)) from error
        _thread.opened += 1
        return new


class _SecureOpening(_Opening, HTTPSConnection):
    """The same, before it is encrypted."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Opening


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureOpening


class _Adapter(HTTPAdapter):
    """Connects to the address in the URL, and verifies the name in `Host`.

    Pools are kept per address, port and name: an open connection is used again only for the
    name whose certificate it showed, at an address that was checked for this very request.
    """

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__(pool_connections=32, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

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
