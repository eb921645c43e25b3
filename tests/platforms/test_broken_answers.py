"""Answers that break off, lie about their charset, or leave something behind on the connection."""

import pytest

from campaigns.platforms import alipay, foundation
from campaigns.platforms.base import Answer, Ask, PlatformError, Unreachable, Unreadable
from campaigns.platforms.fetch import fetch
from tests.platforms.asking import got, manners
from tests.platforms.hostile import Play, Server, head, ok, serving

FEED = '{"currency":"CNY","raised":"12.00","as_of":"2026-11-22T03:00:00Z","title":"放学以后"}'
CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
SOUND = ok(FEED.encode())


class Asker:
    """Asks again and again, over connections that stay open if they may."""

    def __init__(self, server: Server) -> None:
        self._ask, self._manners = Ask(server.url + "/feed.json"), manners(server)

    def __call__(self) -> Answer:
        return fetch(self._ask, self._manners)


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"40",
        b"40\r\n",
        b"40\r\n" + FEED.encode()[:20],
        b"20\r\n" + FEED.encode()[:32] + b"\r\n",
        b"20\r\n" + FEED.encode()[:32] + b"\r\n0",
        b"-1\r\n" + FEED.encode(),
        b"zz\r\n" + FEED.encode(),
    ],
)
def test_a_chunked_body_that_breaks_off_is_no_answer(rest: bytes) -> None:
    with pytest.raises(Unreachable):
        got(lambda client: client.sendall(CHUNKED + rest))


def test_a_body_shorter_than_it_was_said_to_be_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        got(lambda client: client.sendall(ok(FEED.encode())[:-10]))


@pytest.mark.parametrize("charset", ["gb18030", "utf-16", "latin-1", "no-such-charset", ""])
def test_json_is_read_as_the_utf_8_it_is_whatever_charset_is_claimed(charset: str) -> None:
    claim = f"Content-Type: application/json; charset={charset}"
    assert foundation.read(got(ok(FEED.encode(), claim))).title == "放学以后"


@pytest.mark.parametrize(
    "body",
    [FEED.encode("gb18030"), FEED.encode("utf-16"), b"\xff\xfe\x00", FEED.encode()[:-30] + b"\xe6"],
)
def test_json_in_another_charset_is_an_error_and_no_guess(body: bytes) -> None:
    with pytest.raises(Unreadable):
        foundation.read(got(ok(body, "Content-Type: application/json; charset=utf-8")))


def test_a_page_of_noise_is_unreadable_whatever_it_claims() -> None:
    noise = bytes(range(256)) * 8
    with pytest.raises(PlatformError):
        alipay.read(got(ok(noise, "Content-Type: text/html; charset=gb2312")))


@pytest.mark.parametrize(
    "broken",
    [
        lambda client: client.sendall(CHUNKED + b"40\r\nabc"),
        lambda client: client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabc"),
        lambda client: client.sendall(CHUNKED + b"-1\r\n" + SOUND),
        ok(b"x" * 2_000_000),
    ],
    ids=["chunk", "short", "negative", "too large"],
)
def test_after_an_answer_that_failed_the_next_comes_whole_over_a_new_connection(
    broken: Play | bytes,
) -> None:
    with serving(SOUND, broken, SOUND) as server:
        asked = Asker(server)
        assert asked().body == FEED.encode()
        with pytest.raises(PlatformError):
            asked()
        assert asked().body == FEED.encode()
        assert server.connections == 2


def test_after_one_that_could_not_be_unpacked_the_next_is_whole_too() -> None:
    with serving(SOUND, ok(b"not gzip", "Content-Encoding: gzip"), SOUND) as server:
        asked = Asker(server)
        asked()
        with pytest.raises(Unreadable):
            asked()
        assert asked().body == FEED.encode()


def test_an_error_that_was_read_whole_leaves_the_connection_in_use() -> None:
    error = head("HTTP/1.1 500 Oops", "Content-Length: 4") + b"oops"
    with serving(SOUND, error, SOUND) as server:
        asked = Asker(server)
        assert [asked().status for _ in range(3)] == [200, 500, 200]
        assert server.connections == 1


def test_what_a_server_sends_beyond_its_answer_is_nobodys_answer() -> None:
    evil = ok(b'{"raised":"999999.00"}')
    with serving(SOUND + evil, SOUND) as server:
        asked = Asker(server)
        assert asked().body == FEED.encode()
        assert asked().body == FEED.encode()
