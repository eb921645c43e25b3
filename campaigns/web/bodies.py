"""Bodies: each arrives whole and in time before anything looks at its request, or not at all.

The server bounds the time for a request's head (30 s), but would wait for its body for ever; when
a sender goes away in the middle it passes on what came as if that were all; and it tells nobody
which connection a request came by. So bodies are read here, before a view holds a transaction
that others wait for, and connections that keep us waiting too long are found by what the kernel
knows of them.
"""

import errno
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from threading import Event, Lock, Thread
from typing import IO, Any

from flask import Flask, request
from werkzeug.wsgi import ClosingIterator

# As long as the server waits for a head; a large body gets the time it needs on top.
FIRST_SECONDS = 30.0
SLOWEST = 32 * 1024  # octets a second
CHUNK = 64 * 1024
LOOK_SECONDS = 1.0
DESCRIPTORS = "/proc/self/fd"
# What the disk says when a large body, or a part of it, has no room there.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RETRY_SECONDS = 10
# Where tcp_info (linux/tcp.h) has tcpi_last_data_sent, in milliseconds.
LAST_DATA_SENT = 44

# Where files are handed in, and by whom: the largest body of any other page is far smaller. A
# multipart body is a little larger than its file.
UPLOADS = {"/staff/imports": 65 * 1024 * 1024, "/staff/images": 17 * 1024 * 1024}
SESSION = "staff="

Wsgi = Callable[..., Iterable[bytes]]


def init_app(app: Flask) -> None:
    """Put `Whole` before the app."""
    largest: int = app.config["MAX_CONTENT_LENGTH"]
    app.wsgi_app = Whole(app.wsgi_app, largest)  # type: ignore[method-assign]
    app.before_request(_allow)


class Whole:
    """Stands before a WSGI app and gives it whole bodies only.

    One that its sender breaks off or takes too long for is answered 408 (who can still hear it),
    and the app never knows. One of more than `largest` octets is left to the app to refuse, by
    its length; where files are handed in more is taken, and kept on the disk.
    """

    def __init__(self, app: Wsgi, largest: int, seconds: float = FIRST_SECONDS) -> None:
        self._app, self._largest, self._seconds = app, largest, seconds
        self._watch = Watch()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        declared = environ.get("CONTENT_LENGTH") or ""
        if not declared and "HTTP_TRANSFER_ENCODING" not in environ or declared == "0":
            return self._app(environ, start_response)
        length = int(declared) if declared.isdecimal() else None
        largest = _hands_in(environ) or self._largest
        if length is not None and length > largest:
            return self._app(environ, start_response)
        seconds = self._seconds + (length or largest) / SLOWEST
        large = (length or largest) > self._largest
        # Not for a block: it lives as long as its request.
        body: IO[bytes] = SpooledTemporaryFile(CHUNK) if large else BytesIO()  # noqa: SIM115
        try:
            with self._watch.over(environ.get("REMOTE_ADDR") or "", seconds) as wait:
                came = _read(environ["wsgi.input"], largest + 1 if length is None else length, body)
        except OSError as error:
            body.close()
            if error.errno not in NO_ROOM:
                raise
            start_response("503 Service Unavailable", [("Retry-After", str(RETRY_SECONDS))])
            return ()
        if wait.cut or came < (length or 0):
            body.close()
            start_response("408 Request Timeout", [])
            return ()
        # Said to have its length, also if it came in pieces, so that every limit of the app holds.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(came)}
        answer = self._app(environ, start_response)
        return ClosingIterator(answer, body.close) if large else answer


@dataclass(eq=False)
class Wait:
    """One body that somebody waits for. `since` and `until` are monotonic."""

    peer: str
    since: float
    until: float
    cut: bool = False


class Watch:
    """Looks every second whether somebody waits too long, and then cuts the sender off.

    On Linux only; elsewhere a proxy has to.
    """

    def __init__(self) -> None:
        self._waits: set[Wait] = set()
        self._any = Event()
        self._lock = Lock()
        self._thread: Thread | None = None

    @contextmanager
    def over(self, peer: str, seconds: float) -> Iterator[Wait]:
        """Within the block, `peer` has so long to send what the block waits for."""
        now = time.monotonic()
        wait = Wait(peer, now, now + seconds)
        with self._lock:
            self._waits.add(wait)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="bodies", daemon=True)
                self._thread.start()
        self._any.set()
        try:
            yield wait
        finally:
            with self._lock:
                self._waits.discard(wait)
                if not self._waits:
                    self._any.clear()

    def _run(self) -> None:
        while self._any.wait():
            time.sleep(LOOK_SECONDS)
            self._look(time.monotonic())

    def _look(self, now: float) -> None:
        with self._lock:
            late = [wait for wait in self._waits if wait.until < now]
        silences: dict[str, float] = {}
        for wait in late:
            wait.cut = True
            waited = now - wait.since
            silences[wait.peer] = min(waited, silences.get(wait.peer, waited))
        if silences:
            _cut(silences)


def _hands_in(environ: dict[str, Any]) -> int:
    """How many octets somebody may send who has a session of staff and hands in a file; else 0."""
    path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD")
    if method != "POST" or SESSION not in environ.get("HTTP_COOKIE", ""):
        return 0
    return UPLOADS.get(path, 0)


def _allow() -> None:
    if largest := _hands_in(request.environ):
        request.max_content_length = largest


def _read(source: Any, most: int, into: IO[bytes]) -> int:
    """Keep what comes, up to `most` octets; how many came."""
    came = 0
    while came < most and (piece := source.read(min(CHUNK, most - came))):
        into.write(piece)
        came += len(piece)
    into.seek(0)
    return came


def _cut(silences: dict[str, float]) -> None:
    """End the connections of these peers on which we sent nothing for so many seconds.

    Of those that this process took, and none that it made. The server has closed idle ones by
    then, and no view takes so long, so those are left that owe us a body. The second taken off
    is for a "100 Continue", which goes out after the waiting began.
    """
    ports = {each.getsockname()[1] for each in _sockets() if _listens(each)}
    for connection in _sockets():
        with suppress(OSError):
            silence = silences.get(connection.getpeername()[0])
            taken = connection.getsockname()[1] in ports
            if taken and silence is not None and _silent(connection) >= silence - 1:
                connection.shutdown(socket.SHUT_RDWR)


def _sockets() -> Iterator[socket.socket]:
    """Copies of the TCP sockets of this process, one at a time: descriptors may be scarce."""
    for name in os.listdir(DESCRIPTORS) if os.path.isdir(DESCRIPTORS) else ():
        with suppress(OSError):
            copy = os.dup(int(name))
            try:
                found = socket.socket(fileno=copy)
            except OSError:  # It is something else, such as a file.
                os.close(copy)
                continue
            with found:
                if found.family in (socket.AF_INET, socket.AF_INET6):
                    yield found


def _listens(of: socket.socket) -> bool:
    return bool(of.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _silent(connection: socket.socket) -> float:
    """Seconds since we sent anything on it, or since it was taken."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_SENT + 4)
    milliseconds: int = struct.unpack_from("=I", info, LAST_DATA_SENT)[0]
    return milliseconds / 1000
