"""Through the operator's proxy: it is asked for the address that was checked, and for no name."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from campaigns.platforms import connection, proxy
from campaigns.platforms.base import Ask, ForbiddenAddress, Unreachable
from campaigns.platforms.fetch import Manners, fetch
from tests.platforms.asking import manners
from tests.platforms.carrier import Carrier, carrying
from tests.platforms.hostile import Server, head, moved, ok, serving
from tests.platforms.test_fetch_encrypted import authority

__all__ = ["authority"]  # the fixture
PUBLIC, OTHER = "93.184.216.34", "93.184.216.35"


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with carrying() as carrier:
        yield carrier


def through(carrier: Carrier, *ips: str, secret: str = "", **changes: Any) -> Manners:
    led = proxy.parse(f"http://{secret}{carrier.host}")
    return manners(proxy=led, resolve=lambda *_: list(ips), **changes)


def test_the_proxy_connects_to_the_address_that_was_checked(carrier: Carrier) -> None:
    with serving(ok(b"{}")) as server:
        carrier.leads[f"{PUBLIC}:80"] = server.port
        asked = through(carrier, PUBLIC)
        for _ in range(2):
            assert fetch(Ask("http://feed.test/a"), asked).body == b"{}"
        assert (server.lines()[0], server.connections) == ("GET /a HTTP/1.1", 1)
        assert "Host: feed.test" in server.lines()
        assert not any(line.startswith("Proxy-") for line in server.lines())
    assert carrier.heads == [f"CONNECT {PUBLIC}:80 HTTP/1.1\r\nHost: {PUBLIC}:80\r\n\r\n"]


def test_encryption_goes_through_it_and_the_certificate_is_the_names(
    carrier: Carrier, authority: Any
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with serving(ok(b"{}"), tls=context) as server:
        context.sni_callback = lambda _, name, __: server.names.append(name)
        carrier.leads[f"{PUBLIC}:443"] = server.port
        asked = through(carrier, PUBLIC, trust=connection.trusting(str(authority)))
        assert fetch(Ask("https://feed.test/"), asked).body == b"{}"
        with pytest.raises(Unreachable, match="certificate"):
            fetch(Ask("https://other.test/"), asked)
    assert server.names == ["feed.test", "other.test"]
    assert set(carrier.asked) == {f"CONNECT {PUBLIC}:443 HTTP/1.1"}


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_the_proxy_is_not_asked_for_a_private_address(carrier: Carrier, ip: str) -> None:
    with pytest.raises(ForbiddenAddress):
        fetch(Ask("http://feed.test/"), through(carrier, PUBLIC, ip))
    assert carrier.heads == []


def test_a_redirect_is_checked_before_the_proxy_hears_of_it(carrier: Carrier) -> None:
    with serving(moved("http://169.254.169.254/latest")) as server:
        carrier.leads[f"{PUBLIC}:80"] = server.port
        with pytest.raises(ForbiddenAddress):
            fetch(Ask("http://feed.test/"), through(carrier, PUBLIC))
    assert len(carrier.heads) == 1


def test_a_host_that_need_not_be_public_is_asked_directly(carrier: Carrier) -> None:
    with serving(ok(b"{}")) as server:
        asked = through(carrier, "127.0.0.1", allow_private=frozenset({server.host}))
        assert fetch(Ask(server.url), asked).body == b"{}"
    assert carrier.heads == []


def test_another_address_is_tried_where_nobody_is_at_the_first(carrier: Carrier) -> None:
    with serving(ok(b"{}")) as server:
        carrier.leads[f"{OTHER}:80"] = server.port
        assert fetch(Ask("http://feed.test/"), through(carrier, PUBLIC, OTHER)).body == b"{}"
    assert carrier.asked == [f"CONNECT {ip}:80 HTTP/1.1" for ip in (PUBLIC, OTHER)]


def test_a_name_and_password_are_for_the_proxy_alone(carrier: Carrier) -> None:
    with serving(ok(b"{}")) as server:
        carrier.leads[f"{PUBLIC}:80"] = server.port
        fetch(Ask("http://feed.test/"), through(carrier, PUBLIC, secret="ada:p%40ss@"))
        assert b"Authorization" not in server.requests[0]
    assert "Proxy-Authorization: Basic YWRhOnBAc3M=\r\n" in carrier.heads[0]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (head("HTTP/1.1 407 Who are you?", "Content-Length: 0"), "407"),
        (head("HTTP/1.1 403 Forbidden", "Content-Length: 0"), "403"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not lead"),
        (head("HTTP/1.1 200 OK", "X: " + "x" * 20_000), "does not lead"),
    ],
)
def test_a_proxy_that_refuses_is_named_as_the_reason(said: bytes, reason: str) -> None:
    with serving(said) as server, pytest.raises(Unreachable, match=reason):
        fetch(Ask("http://feed.test/"), _by(server))
    assert len(server.requests) == 1


def test_a_proxy_that_is_not_there_is_named_as_the_reason() -> None:
    with serving(b"") as server:
        gone = _by(server)
    with pytest.raises(Unreachable, match="proxy does not take connections"):
        fetch(Ask("http://feed.test/"), gone)


def test_a_proxy_that_says_nothing_is_cut() -> None:
    def silence(client: socket.socket) -> None:
        client.recv(1)

    with serving(silence) as server, pytest.raises(Unreachable):
        fetch(Ask("http://feed.test/"), replace(_by(server), timeout=0.5))


def _by(server: Server) -> Manners:
    return manners(proxy=proxy.Proxy("127.0.0.1", server.port), resolve=lambda *_: [PUBLIC])
