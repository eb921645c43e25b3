"""A crowd: processes of raw keep-alive connections that ask for one page as fast as they get it."""

import selectors
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

PROCESSES = 2


@dataclass
class _Visitor:
    connection: socket.socket
    left: int  # bytes of the answer that are still to come
    answers: int = 0


def per_second(address: str, path: str, connections: int, seconds: float) -> float:
    """Answers a second that `connections` visitors of a loopback server got from `path`."""
    share = connections // PROCESSES
    with ProcessPoolExecutor(PROCESSES) as pool:
        visits = [pool.submit(_visit, address, path, share, seconds) for _ in range(PROCESSES)]
        return sum(visit.result() for visit in visits)


def _visit(address: str, path: str, connections: int, seconds: float) -> float:
    question = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\n\r\n".encode()
    size = _size_of_one_answer(address, question)
    waiting = selectors.DefaultSelector()
    visitors = [_Visitor(_connected(address), size) for _ in range(connections)]
    for visitor in visitors:
        waiting.register(visitor.connection, selectors.EVENT_READ, visitor)
        visitor.connection.sendall(question)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for key, _ in waiting.select(timeout=1):
            _read(key.data, question, size)
    passed = time.monotonic() - began
    for visitor in visitors:
        visitor.connection.close()
    return sum(visitor.answers for visitor in visitors) / passed


def _read(visitor: _Visitor, question: bytes, size: int) -> None:
    got = visitor.connection.recv(1 << 20)
    if visitor.left == size and not got.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"The server answered {got[:60]!r}.")
    visitor.left -= len(got)
    if visitor.left == 0:
        visitor.answers += 1
        visitor.left = size
        visitor.connection.sendall(question)


def _size_of_one_answer(address: str, question: bytes) -> int:
    """Every answer of a run is as long as this one: the same page with the same headers."""
    with _connected(address) as connection:
        connection.sendall(question)
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(1 << 20)
    head = got.partition(b"\r\n\r\n")[0]
    length = next(
        line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return len(head) + 4 + int(length.partition(b":")[2])


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
