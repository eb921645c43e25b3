"""The guarded fetch against a real server that means harm (promise P8, fault row 10)."""

import contextlib
import gzip
import socket
import ssl
import time
import tomllib
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from campaigns.platforms import connection
from campaigns.platforms.base import (
    Answer,
    Ask,
    ForbiddenAddress,
    PlatformError,
    TooLarge,
    Unreachable,
    Unreadable,
)
from campaigns.platforms.fetch import Manners, fetch, user_agent
from config import VERSION
from tests.platforms.hostile import Play, Server, head, moved, ok, serving

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


def manners(*servers: Server, **changes: Any) -> Manners:
    allowed = frozenset(server.host for server in servers)
    quick = Manners("Huiyin/test", allow_private=allowed, timeout=5, max_bytes=10_000)
    return replace(quick, **changes)


def got(play: Play | bytes, **changes: Any) -> Answer:
    with serving(play) as server:
        return fetch(Ask(server.url + "/feed.json"), manners(server, **changes))


def dripping(start: bytes, piece: bytes = b" ") -> Play:
    def drip(client: socket.socket) -> None:
        client.sendall(start)
        for _ in range(200):
            client.sendall(piece)
            time.sleep(0.05)

    return drip


def test_an_answer_arrives_whole() -> None:
    before = datetime.now(UTC)
    answer = got(ok(b'{"raised": 1}', 'ETag: "abc"', "X-Odd: a\x01b"))
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'{"raised": 1}', '"abc"')
    assert before <= answer.asked_at <= datetime.now(UTC)
    assert answer.url.endswith("/feed.json")
    assert "x-odd" not in answer.headers


def test_we_say_who_we_are_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(ok(b"{}", "Set-Cookie: spy=1; Path=/")) as server:
        for _ in range(2):
            fetch(Ask(server.url + "/a?b=c"), manners(server))
        sent = sorted(line for line in server.lines()[1:] if line)
        assert server.lines()[0] == "GET /a?b=c HTTP/1.1"
        assert sent == ["Accept-Encoding: gzip", f"Host: {server.host}", "User-Agent: Huiyin/test"]
    assert not connection.session(connection.public_trust()).cookies


def test_our_name_carries_the_version_and_where_to_find_us() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == VERSION
    assert user_agent("https://give.example") == f"Huiyin/{VERSION} (+https://give.example)"


def test_a_question_is_posted_as_it_was_asked() -> None:
    with serving(ok(b"{}")) as server:
        ask = Ask(server.url, "POST", {"Content-Type": "application/json"}, b'{"pid": "1"}')
        fetch(ask, manners(server))
        assert server.lines()[0] == "POST / HTTP/1.1"
        assert server.requests[0].endswith(b'\r\n\r\n{"pid": "1"}')
        assert "Content-Type: application/json" in server.lines()


def test_what_has_not_changed_is_said_in_a_304() -> None:
    with serving(head("HTTP/1.1 304 Not Modified", 'ETag: "abc"', GZIP)) as server:
        ask = Ask(server.url).unless_changed('"abc"', None)
        answer = fetch(ask, manners(server))
        assert answer.not_modified
        assert 'If-None-Match: "abc"' in server.lines()
        assert not any(line.startswith("If-Modified-Since") for line in server.lines())


def test_a_refusal_is_an_answer() -> None:
    assert got(head("HTTP/1.1 403 Forbidden", "Content-Length: 0")).status == 403


def test_one_connection_serves_several_questions() -> None:
    with serving(ok(b"{}")) as server:
        for _ in range(3):
            fetch(Ask(server.url), manners(server))
        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_is_not_used_again_after_an_error() -> None:
    with serving(ok(b"x" * 4_000_000), ok(b"{}")) as server:
        with pytest.raises(TooLarge):
            fetch(Ask(server.url), manners(server))
        assert fetch(Ask(server.url), manners(server)).body == b"{}"
        assert server.connections == 2


def test_a_connection_the_server_closed_is_opened_anew() -> None:
    def once(client: socket.socket) -> None:
        client.sendall(ok(b"{}"))

    with serving(once) as server:
        for _ in range(50):
            assert fetch(Ask(server.url), manners(server)).status == 200
        assert server.connections == len(server.requests) == 50


def test_a_new_connection_that_fails_is_not_tried_again() -> None:
    with serving(b"", lambda client: client.close()) as server:
        with pytest.raises(Unreachable):
            fetch(Ask(server.url), manners(server, timeout=1))
        with pytest.raises(Unreachable):
            fetch(Ask(server.url), manners(server))
        assert server.connections == 2


def test_chunks_are_put_together() -> None:
    body = b'4\r\n{"a"\r\n3\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n'
    assert got(head("HTTP/1.1 200 OK", CHUNKED) + body).body == b'{"a": 1}'


def test_a_packed_answer_is_unpacked() -> None:
    assert got(ok(gzip.compress(b"{}" * 4000), GZIP)).body == b"{}" * 4000


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


def test_nobody_there_is_unreachable() -> None:
    with serving(b"") as server:
        gone = manners(server)
    with pytest.raises(Unreachable):
        fetch(Ask(server.url), gone)


def test_no_bytes_escape_the_family() -> None:
    said = [b""]
    with serving(lambda client: client.sendall(said[0])) as server:

        @given(st.sampled_from(STARTS), st.binary(max_size=60))
        def answered(start: bytes, rest: bytes) -> None:
            said[0] = start + rest
            with contextlib.suppress(PlatformError):
                assert fetch(Ask(server.url), manners(server)).status in range(100, 1000)

        answered()


def test_a_second_address_is_tried_when_the_first_takes_no_connection() -> None:
    with serving(ok(b"{}"), address="127.0.0.2") as server:
        allowed = frozenset({f"feed.test:{server.port}"})
        both = manners(allow_private=allowed, resolve=lambda *_: ["127.0.0.3", "127.0.0.2"])
        ask = Ask(f"http://feed.test:{server.port}/")
        assert fetch(ask, both).body == b"{}"
        assert f"Host: feed.test:{server.port}" in server.lines()


def test_a_name_is_resolved_once_and_that_address_is_connected_to() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    def rebinding(host: str, seconds: float) -> Sequence[str]:
        return next(answers)

    with (
        serving(ok(b"checked")) as first,
        serving(ok(b"rebound"), address="127.0.0.2", port=first.port) as second,
    ):
        allowed = frozenset({f"feed.test:{first.port}"})
        rebound = manners(allow_private=allowed, resolve=rebinding)
        answer = fetch(Ask(f"http://feed.test:{first.port}/"), rebound)
        assert (answer.body, second.connections) == (b"checked", 0)
    assert next(answers) == ["127.0.0.2"]


def test_an_open_connection_is_not_used_for_an_address_that_was_not_checked() -> None:
    where = ["127.0.0.1"]
    with (
        serving(ok(b"before")) as first,
        serving(ok(b"after"), address="127.0.0.2", port=first.port),
    ):
        allowed = frozenset({f"feed.test:{first.port}"})
        moving = manners(allow_private=allowed, resolve=lambda *_: list(where))
        ask = Ask(f"http://feed.test:{first.port}/")
        assert fetch(ask, moving).body == b"before"
        where[:] = ["127.0.0.2"]
        assert fetch(ask, moving).body == b"after"


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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for feed.test that signs itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "feed.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("feed.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "feed.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def secure(authority: Path) -> Iterator[tuple[Server, Manners]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with serving(ok(b"{}"), tls=context) as server:
        context.sni_callback = lambda _, name, __: server.names.append(name)
        allowed = frozenset({f"feed.test:{server.port}", f"other.test:{server.port}"})
        trust = connection.trusting(str(authority))
        yield (
            server,
            manners(allow_private=allowed, trust=trust, resolve=lambda *_: ["127.0.0.1"]),
        )


def test_the_certificate_is_the_names_although_we_connect_to_an_address(
    secure: tuple[Server, Manners],
) -> None:
    server, trusting = secure
    for _ in range(2):
        assert fetch(Ask(f"https://feed.test:{server.port}/"), trusting).body == b"{}"
    assert (server.names, server.connections) == (["feed.test"], 1)


def test_a_certificate_for_another_name_is_refused(secure: tuple[Server, Manners]) -> None:
    server, trusting = secure
    fetch(Ask(f"https://feed.test:{server.port}/"), trusting)
    with pytest.raises(Unreachable, match="certificate"):
        fetch(Ask(f"https://other.test:{server.port}/"), trusting)
    assert server.names == ["feed.test", "other.test"]
    assert len(server.requests) == 1


def test_a_certificate_nobody_vouches_for_is_refused(secure: tuple[Server, Manners]) -> None:
    server, trusting = secure
    with pytest.raises(Unreachable, match="certificate"):
        fetch(
            Ask(f"https://feed.test:{server.port}/"),
            replace(trusting, trust=connection.public_trust()),
        )


def test_who_drips_encrypted_is_cut_as_well(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    drip = dripping(head("HTTP/1.1 200 OK", "Content-Length: 1000"))
    with serving(drip, tls=context) as server:
        impatient = manners(
            allow_private=frozenset({f"feed.test:{server.port}"}),
            trust=connection.trusting(str(authority)),
            resolve=lambda *_: ["127.0.0.1"],
            timeout=0.6,
        )
        started = time.monotonic()
        with pytest.raises(Unreachable, match="within"):
            fetch(Ask(f"https://feed.test:{server.port}/"), impatient)
        assert time.monotonic() - started < 2


def test_a_handshake_that_never_comes_is_cut() -> None:
    def silence(client: socket.socket) -> None:
        time.sleep(2)

    with serving(silence) as server:
        started = time.monotonic()
        with pytest.raises(Unreachable):
            fetch(
                Ask(f"https://{server.host}/"),
                manners(server, timeout=0.5),
            )
        assert time.monotonic() - started < 1.5
