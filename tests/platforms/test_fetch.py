"""The guarded fetch against a real server that means harm (promise P8, fault row 10)."""

import gzip
import socket
import threading
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.platforms.base import (
    Ask,
    TooLarge,
    Unreachable,
)
from campaigns.platforms.fetch import fetch, user_agent
from config import VERSION
from tests.platforms.asking import got, manners
from tests.platforms.hostile import head, ok, serving

GZIP = "Content-Encoding: gzip"
CHUNKED = "Transfer-Encoding: chunked"


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
        ours = manners(server)
        for _ in range(2):
            fetch(Ask(server.url + "/a?b=c"), ours)
        sent = sorted(line for line in server.lines()[1:] if line)
        assert server.lines()[0] == "GET /a?b=c HTTP/1.1"
        assert sent == ["Accept-Encoding: gzip", f"Host: {server.host}", "User-Agent: Huiyin/test"]


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
        ours = manners(server)
        for _ in range(3):
            fetch(Ask(server.url), ours)
        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_is_not_used_again_after_an_error() -> None:
    with serving(ok(b"x" * 4_000_000), ok(b"{}")) as server:
        ours = manners(server)
        with pytest.raises(TooLarge):
            fetch(Ask(server.url), ours)
        assert fetch(Ask(server.url), ours).body == b"{}"
        assert server.connections == 2


def test_a_connection_the_server_closed_is_opened_anew() -> None:
    def once(client: socket.socket) -> None:
        client.sendall(ok(b"{}"))

    with serving(once) as server:
        ours = manners(server)
        for _ in range(50):
            assert fetch(Ask(server.url), ours).status == 200
        assert server.connections == len(server.requests) == 50


def test_a_connection_serves_whichever_thread_asks_next() -> None:
    with serving(ok(b"{}")) as server, ThreadPoolExecutor(2) as threads:
        ours = manners(server)
        fetch(Ask(server.url), ours)
        assert threads.submit(fetch, Ask(server.url), ours).result().body == b"{}"
        assert server.connections == 1


def test_of_several_connections_that_were_closed_the_second_is_not_tried() -> None:
    both = threading.Barrier(2)

    def together(client: socket.socket) -> None:
        both.wait(60)
        client.sendall(ok(b"{}"))
        # The next question is read and never answered.
        client.settimeout(1)
        client.recv(65536)

    with serving(together, together, ok(b"after")) as server, ThreadPoolExecutor(2) as threads:
        ours = manners(server, timeout=60)
        for asked in [threads.submit(fetch, Ask(server.url), ours) for _ in range(2)]:
            asked.result()
        assert fetch(Ask(server.url), ours).body == b"after"
        assert server.connections == 3


def test_a_new_connection_that_fails_is_not_tried_again() -> None:
    with serving(b"", lambda client: client.close()) as server:
        ours = manners(server, timeout=1)
        for _ in range(2):
            with pytest.raises(Unreachable):
                fetch(Ask(server.url), ours)
        assert server.connections == 2


def test_chunks_are_put_together() -> None:
    body = b'4\r\n{"a"\r\n3\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n'
    assert got(head("HTTP/1.1 200 OK", CHUNKED) + body).body == b'{"a": 1}'


def test_a_packed_answer_is_unpacked() -> None:
    assert got(ok(gzip.compress(b"{}" * 4000), GZIP)).body == b"{}" * 4000


def test_nobody_there_is_unreachable() -> None:
    with serving(b"") as server:
        gone = manners(server)
    with pytest.raises(Unreachable):
        fetch(Ask(server.url), gone)


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
