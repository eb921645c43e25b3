"""Which addresses may be asked, before anything is sent."""

from collections.abc import Sequence
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import guard
from campaigns.platforms.base import ForbiddenAddress, PlatformError, Unreachable

NONE: frozenset[str] = frozenset()


def never(host: str, seconds: float) -> Sequence[str]:
    raise AssertionError(f"{host} must not be resolved")


def to(*ips: str) -> guard.Resolve:
    return lambda host, seconds: ips


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0X7F.0x1/",
        "http://0177.0.0.1/",
        "http://127.0.0.01/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://①②⑦。0。0。1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/latest/meta-data/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://192.88.99.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[2606:4700::1%25eth0]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://user@8.8.8.8/",
        "http://user:secret@8.8.8.8/",
        "http://8.8.8.8@127.0.0.1/",
        "http://8.8.8.8\\@127.0.0.1/",
        "http://8.8.8.8:22/",
        "http://8.8.8.8:8080/",
        "http://8.8.8.8:0/",
        "http://8.8.8.8:99999/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "http:///",
        "http://a b/",
        "http://a\r\nb/",
        "http://a..b/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 140 + "example/",
        "http://exa$mple/",
        "http://8.8.8.8/" + "x" * 2000,
        "",
    ],
)
def test_an_address_that_is_not_public_is_refused_without_resolving(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        guard.locate(url, NONE, never, 1)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "fd12::1",
        "64:ff9b::10.0.0.1",
        "nonsense",
        "",
    ],
)
def test_one_private_address_among_public_ones_is_enough_to_refuse(ip: str) -> None:
    with pytest.raises(ForbiddenAddress):
        guard.locate("https://feed.example/", NONE, to("8.8.8.8", ip), 1)


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "2002:808:808::"])
def test_a_public_address_is_where_we_connect(ip: str) -> None:
    target = guard.locate("https://feed.example/a?b=c#d", NONE, to(ip), 1)
    assert (target.ips, target.port, target.host) == ((ip,), 443, "feed.example")
    assert target.address.target == "/a?b=c"


def test_a_name_is_resolved_in_its_ascii_form() -> None:
    known = {"xn--bcher-kva.example": ["8.8.8.8"]}
    target = guard.locate("http://Bücher.example", NONE, lambda host, seconds: known[host], 1)
    assert target.host == "xn--bcher-kva.example"


def test_a_name_without_an_address_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        guard.locate("http://feed.example/", NONE, to(), 1)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9001/", "127.0.0.1:9001"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1/", "127.0.0.1:80"),
        ("https://feed.internal/", "feed.internal"),
        ("https://FEED.internal:9001/", "feed.internal:9001"),
        ("http://[::1]:9001/", "[::1]:9001"),
        ("http://[0:0::1]/", "::1"),
    ],
)
def test_the_operator_may_allow_a_host(url: str, allowed: str) -> None:
    assert guard.locate(url, frozenset({allowed}), to("10.0.0.1"), 1).ips


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9002/", "127.0.0.1:9001"),
        ("http://127.0.0.1:9001/", "127.0.0.1"),
        ("http://127.0.0.1/", "127.0.0.1:9001"),
        ("http://127.0.0.2:9001/", "127.0.0.1:9001"),
        ("http://a.feed.internal/", "feed.internal"),
        ("http://[::ffff:127.0.0.1]:9001/", "127.0.0.1:9001"),
    ],
)
def test_what_is_allowed_is_exactly_that(url: str, allowed: str) -> None:
    with pytest.raises(ForbiddenAddress):
        guard.locate(url, frozenset({allowed}), to("10.0.0.1"), 1)


def test_the_systems_resolver_is_given_up_when_time_is_up() -> None:
    awake = Event()

    def sleepy(*args: object, **more: object) -> list[object]:
        awake.wait(10)
        return []

    with pytest.raises(Unreachable, match="in time"):
        guard.system("feed.example", 0.05, sleepy)
    awake.set()


def test_a_name_that_cannot_be_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="no address"):
        guard.system("x" * 70 + ".invalid", 5)


def test_the_systems_resolver_knows_this_machine() -> None:
    assert set(guard.system("localhost", 5)) <= {"127.0.0.1", "::1"}


@given(st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}"))
def test_no_address_escapes_the_family(url: str) -> None:
    try:
        target = guard.locate(url, NONE, to("10.0.0.1"), 1)
    except PlatformError:
        return
    assert all(map(guard.is_public, target.ips))


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_inside_ipv6_as_outside(ip: object) -> None:
    assert guard.is_public(f"::ffff:{ip}") == guard.is_public(str(ip))
    assert guard.is_public(f"64:ff9b::{ip}") == guard.is_public(str(ip))
