"""A crowd of slow senders: each opens a connection and never gets to the end of its request."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

OPENINGS = {
    "head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": b"POST /webhooks/nobody HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n",
    "pieces": b"POST /en/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    "mute": b"POST /unsubscribe/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n",
}
DRIPS = {"head": b"x", "body": b"x", "pieces": b"1\r\nx\r\n", "mute": b""}


@dataclass
class Sender:
    """One of them: how it is slow, and how many seconds it was borne with, once that has ended."""

    kind: str
    connection: socket.socket
    since: float
    lasted: float | None = None

    def drip(self) -> None:
        """Send one octet more; notice if nobody listens any longer."""
        try:
            if DRIPS[self.kind]:
                self.connection.send(DRIPS[self.kind])
            if self.connection.recv(1000) == b"":
                self._end()
        except BlockingIOError:
            return
        except OSError:
            self._end()

    def _end(self) -> None:
        self.lasted = time.monotonic() - self.since


@contextmanager
def crowd(port: int, number: int) -> Iterator[list[Sender]]:
    """So many senders of all kinds, each sending an octet a second while the block lasts."""
    senders, over = [_sender(port, place) for place in range(number)], Event()

    def drip() -> None:
        while not over.wait(1):
            for sender in senders:
                if sender.lasted is None:
                    sender.drip()

    thread = Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield senders
    finally:
        over.set()
        thread.join()
        for sender in senders:
            sender.connection.close()


def _sender(port: int, place: int) -> Sender:
    kind = list(OPENINGS)[place % len(OPENINGS)]
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(OPENINGS[kind])
    connection.setblocking(False)
    return Sender(kind, connection, time.monotonic())
