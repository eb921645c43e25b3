"""The environment of the one-command run: what the person set, and defaults for the rest."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import config
from campaigns.local import keys

REMEMBERED = "environment.json"
PLATFORMS = ("alipay", "foundation", "tencent")


def complete(given: Mapping[str, str]) -> dict[str, str]:
    """`given` with every setting that the run needs and the person left open.

    Makes the instance directory and, once, the secrets in it. Raises `config.BadSetting`.
    """
    told = config.Reader(given)
    instance = told("INSTANCE_DIR", lambda raw: Path(raw).absolute(), "instance")
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise config.BadSetting(
            f"INSTANCE_DIR must be a directory that can be made: {instance} ({error.strerror})."
        ) from error
    bind = told("BIND", str, "127.0.0.1:8000")
    defaults = {
        "EMBEDDED": "1",
        "INSTANCE_DIR": str(instance),
        "DATABASE_URL": f"sqlite:///{instance / 'huiyin.sqlite3'}",
        "BIND": bind,
        "BASE_URL": f"http://{reachable(bind)}",
        "MAIL_FROM": "Huiyin <updates@huiyin.example>",
        "PYTHONUNBUFFERED": "1",
    }
    left_open = {
        name: value
        for name, value in defaults.items()
        if not given.get(name) and not given.get(f"{name}_FILE")
    }
    return {**given, **left_open, **keys.files(instance, given)}


def remember(instance: Path, given: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Keep what a run added to `given`, so that a command in another shell finds the same."""
    added = {name: value for name, value in environ.items() if given.get(name) != value}
    draft = instance / f"{REMEMBERED}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(added), encoding="utf-8")
    draft.replace(instance / REMEMBERED)


def remembered(instance: Path) -> dict[str, str]:
    """What the last run added; nothing where there was none."""
    try:
        found: dict[str, str] = json.loads((instance / REMEMBERED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def reachable(bind: str) -> str:
    """`host:port` under which this machine reaches a server bound to `bind`."""
    host, _, port = bind.rpartition(":")
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "[::]": "[::1]"}  # noqa: S104
    if not host or not port.isdecimal():
        return "127.0.0.1:8000"  # Settings are checked afterwards, and will name BIND.
    return f"{everywhere.get(host, host)}:{port}"


def with_stand_ins(environ: Mapping[str, str], address: str) -> dict[str, str]:
    """Let adapters find every platform at `address` (`host:port`), a private one."""
    origins = ",".join(f"{name}=http://{address}" for name in PLATFORMS)
    return {**environ, "PLATFORM_ORIGINS": origins, "POLL_ALLOW_PRIVATE": address}


def beside(bind: tuple[str, int]) -> str:
    """Where the stand-ins are expected: the next port, so that the demo's links last."""
    port = bind[1] + 1 if bind[1] < 65535 else bind[1] - 1
    return f"127.0.0.1:{port}"


def free_address() -> str:
    """A loopback address that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
