"""A web server on loopback that says exactly the bytes it is told to, as slowly as told."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Play = Callable[[socket.socket], None]


@dataclass
class Server:
    """What came in: one entry in `requests` for each request, one count per connection."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    sent: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def lines(self, request: int = -1) -> list[str]:
        return self.requests[request].decode("latin-1").split("\r\n")


@contextlib.contextmanager
def serving(
    *plays: Play | bytes,
    address: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> Iterator[Server]:
    """Answer the first request with the first play, and so on; the last one is repeated."""
    listener = socket.create_server((address, port))
    server = Server(listener.getsockname()[1])
    stop = threading.Event()
    thread = threading.Thread(target=_listen, args=(listener, server, plays, tls, stop))
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection((address, server.port), timeout=1).close()
        thread.join()
        listener.close()


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return head(*lines) + body


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


def moved(location: str, status: int = 302) -> bytes:
    return head(f"HTTP/1.1 {status} Moved", f"Location: {location}", "Content-Length: 0")


def _listen(
    listener: socket.socket,
    server: Server,
    plays: tuple[Play | bytes, ...],
    tls: ssl.SSLContext | None,
    stop: threading.Event,
) -> None:
    talks = []
    while True:
        connection, _ = listener.accept()
        if stop.is_set():
            connection.close()
            break
        server.connections += 1
        talk = threading.Thread(target=_talk, args=(connection, server, plays, tls, stop))
        talk.start()
        talks.append(talk)
    for talk in talks:
        talk.join()


def _talk(
    connection: socket.socket,
    server: Server,
    plays: tuple[Play | bytes, ...],
    tls: ssl.SSLContext | None,
    stop: threading.Event,
) -> None:
    # What the client does to us (resets, alerts, hanging up) is what the tests provoke.
    with connection, contextlib.suppress(OSError):
        if tls is None:
            _converse(connection, server, plays, stop)
            return
        connection.settimeout(5)
        with tls.wrap_socket(connection, server_side=True) as encrypted:
            _converse(encrypted, server, plays, stop)


def _converse(
    connection: socket.socket,
    server: Server,
    plays: tuple[Play | bytes, ...],
    stop: threading.Event,
) -> None:
    while request := _read(connection, stop):
        server.requests.append(request)
        play = plays[min(len(server.requests), len(plays)) - 1]
        connection.settimeout(5)
        if not isinstance(play, bytes):
            play(connection)
            return
        connection.sendall(play)


def _read(connection: socket.socket, stop: threading.Event) -> bytes:
    connection.settimeout(0.05)
    received = b""
    while not _complete(received):
        if stop.is_set():
            return b""
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            continue
        if not piece:
            return b""
        received += piece
    return received


def _complete(received: bytes) -> bool:
    header, end, body = received.partition(b"\r\n\r\n")
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return bool(end) and len(body) >= int(value)
    return bool(end)
