"""Answers that are too slow, too large, cut off or out of form: refused, and within our limits."""

import contextlib
import gzip
import socket
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms.base import (
    Ask,
    PlatformError,
    TooLarge,
    Unreachable,
    Unreadable,
)
from campaigns.platforms.fetch import fetch
from tests.platforms.asking import dripping, got, manners
from tests.platforms.hostile import Play, head, ok, serving

STARTS = [
    b"",
    b"HTTP/1.1 ",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: ",
    b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1/\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: ",
    b"HTTP/1.1 200 OK\r\nContent-Length: ",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: ",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
]
GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "play",
    [
        dripping(head("HTTP/1.1 200 OK", "Content-Length: 1000")),
        dripping(head("HTTP/1.1 200 OK")),
        dripping(head("HTTP/1.1 200 OK", CHUNKED), b"1\r\nx\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nX: "),
        dripping(b"", head("HTTP/1.1 100 Continue")),
        lambda client: time.sleep(1.5),
    ],
    ids=["body", "endless body", "chunks", "headers", "one header", "continue", "silence"],
)
def test_who_drips_is_cut_when_time_is_up(play: Play) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"seconds: 0\.5"):
        got(play, timeout=0.5)
    assert time.monotonic() - started < 4


def test_a_gigabyte_is_refused_unread() -> None:
    sent = 0

    def flood(client: socket.socket) -> None:
        nonlocal sent
        client.sendall(head("HTTP/1.1 200 OK", "Content-Length: 1073741824"))
        for _ in range(16384):
            sent += client.send(b"x" * 65536)

    tracemalloc.start()
    with pytest.raises(TooLarge):
        got(flood)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent < 64 * 2**20
    assert peak < 8 * 2**20


def test_an_endless_stream_of_chunks_is_cut() -> None:
    def flood(client: socket.socket) -> None:
        client.sendall(head("HTTP/1.1 200 OK", CHUNKED))
        for _ in range(16384):
            client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with pytest.raises(TooLarge):
        got(flood)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    with serving(ok(bomb, GZIP)) as server:
        tracemalloc.start()
        with pytest.raises(TooLarge, match="unpacked"):
            fetch(Ask(server.url), manners(server, max_bytes=2_000_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(bomb) < 300_000
    assert peak < 16 * 2**20


def test_an_answer_as_large_as_allowed_is_read_and_one_byte_more_is_not() -> None:
    assert len(got(ok(b"x" * 10_000)).body) == 10_000
    assert len(got(ok(gzip.compress(b"x" * 10_000), GZIP)).body) == 10_000
    for body, *headers in ((b"x" * 10_001,), (gzip.compress(b"x" * 10_001), GZIP)):
        with pytest.raises(TooLarge):
            got(ok(body, *headers))


@pytest.mark.parametrize(
    "answer",
    [
        ok(gzip.compress(b"{}" * 100)[:-9], GZIP),
        ok(b"not gzip at all", GZIP),
        ok(b"{}", "Content-Encoding: br"),
        ok(b"{}", "Content-Encoding: gzip, gzip"),
        ok(b"{}", "Content-Encoding: deflate"),
    ],
    ids=["cut", "damaged", "br", "twice", "deflate"],
)
def test_what_cannot_be_unpacked_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        got(answer)


@pytest.mark.parametrize(
    "answer",
    [
        head("HTTP/1.1 200 OK", "Content-Length: 100") + b"{}",
        head("HTTP/1.1 200 OK", CHUNKED) + b"5\r\n{}",
        head("HTTP/1.1 200 OK", CHUNKED) + b"2\r\n{}\r\n",
        head("HTTP/1.1 200 OK", CHUNKED) + b"zz\r\n{}\r\n",
        head("HTTP/1.1 200 OK", CHUNKED) + b"-2\r\n{}\r\n",
        head("HTTP/1.1 200 OK", CHUNKED) + b"-1\r\n" + b"x" * 100_000,
        head("HTTP/1.1 200 OK", "Content-Length: 1, 2") + b"{}",
        b"HTTP/1.1 2",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
        head("HTTP/1.1 200 OK", *("X: y" for _ in range(500))),
        head("HTTP/1.1 200 OK", "X: " + "y" * 100_000),
        head("HTTP/1.1 abc OK"),
    ],
)
def test_an_answer_cut_off_or_out_of_form_is_no_answer(answer: bytes) -> None:
    with pytest.raises(Unreachable):
        got(lambda client: client.sendall(answer))


def test_no_bytes_escape_the_family() -> None:
    said = [b""]
    with serving(lambda client: client.sendall(said[0])) as server:

        @given(st.sampled_from(STARTS), st.binary(max_size=60))
        def answered(start: bytes, rest: bytes) -> None:
            said[0] = start + rest
            with contextlib.suppress(PlatformError):
                assert fetch(Ask(server.url), manners(server)).status in range(100, 1000)

        answered()
