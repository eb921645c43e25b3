"""Where an address leads on to: followed three times, never to what is not public."""

import socket
import time

import pytest

from campaigns.platforms.base import (
    Ask,
    ForbiddenAddress,
    Unreachable,
    Unreadable,
)
from campaigns.platforms.fetch import fetch
from tests.platforms.asking import manners
from tests.platforms.hostile import head, moved, ok, serving

GZIP = "Content-Encoding: gzip"


def test_a_redirect_is_followed_three_times() -> None:
    plays = [moved("/1"), moved("2?x=y", 301), moved("/three", 308), ok(b"{}")]
    with serving(*plays) as server:
        answer = fetch(Ask(server.url + "/zero"), manners(server))
        assert (answer.body, answer.url) == (b"{}", server.url + "/three")
        assert [r.split()[1] for r in server.requests] == [b"/zero", b"/1", b"/2?x=y", b"/three"]


def test_a_fourth_redirect_is_not_followed() -> None:
    with serving(moved("/again")) as server:
        with pytest.raises(Unreadable, match="more often than we follow: 3"):
            fetch(Ask(server.url), manners(server))
        assert len(server.requests) == 4


@pytest.mark.parametrize("packed", [True, False])
def test_a_redirects_own_body_is_not_read(packed: bool) -> None:
    sent = 0

    def flood(client: socket.socket) -> None:
        nonlocal sent
        place = ("HTTP/1.1 302 Found", "Location: /there", "Content-Length: 1073741824")
        client.sendall(head(*place, GZIP) if packed else head(*place))
        for _ in range(16384):
            sent += client.send(b"x" * 65536)

    with serving(flood, ok(b"{}")) as server:
        assert fetch(Ask(server.url), manners(server)).body == b"{}"
    assert sent < 64 * 2**20


def test_redirects_share_one_time_limit() -> None:
    def slow(client: socket.socket) -> None:
        time.sleep(0.4)
        client.sendall(moved("/again"))

    with serving(slow) as server, pytest.raises(Unreachable):
        fetch(Ask(server.url), manners(server, timeout=0.6))


def test_a_redirect_that_answers_a_post_is_not_followed() -> None:
    with serving(moved("/elsewhere", 307)) as server:
        assert fetch(Ask(server.url, "POST", body=b"{}"), manners(server)).status == 307
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0x7f.1:{port}/",
        "http://2130706433:{port}/",
        "http://127.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://rebinding.test/",
        "//rebinding.test/",
        "http://user:secret@rebinding.test/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://[",
        "//[::1",
        "http://\x80/",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(place: str) -> None:
    with serving(ok(b"secret")) as inside:
        there = place.format(port=inside.port).encode().decode("latin-1")
        with serving(moved(there)) as outside:
            allowed = manners(outside, resolve=lambda *_: ["10.0.0.1"])
            with pytest.raises(ForbiddenAddress):
                fetch(Ask(outside.url), allowed)
        assert (len(outside.requests), inside.connections) == (1, 0)


def test_a_forbidden_address_is_not_even_connected_to() -> None:
    with serving(ok(b"secret")) as server:
        with pytest.raises(ForbiddenAddress):
            fetch(Ask(server.url), manners())
        assert server.connections == 0
