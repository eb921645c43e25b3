"""`make run`: migrate, load the demo into an empty database, keep everything running."""

import argparse
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import config
from campaigns.local import broker, children, environment, lock
from campaigns.local.supervisor import ROOT, Supervisor, say

READY_SECONDS = 120
TAIL_BYTES = 4_000
LOGINS = "demo-logins.txt"  # Written by `flask --app wsgi demo`; it marks the database as a demo.


class CannotStart(Exception):
    """Something this run needs is missing or taken; the message is one sentence about it."""


def main() -> int:
    """0 after an orderly end, 1 with a sentence on standard error if it could not start."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
    arguments = parser.parse_args()
    try:
        _run(config.environment(), demo=not arguments.no_demo)
    except (CannotStart, lock.AlreadyRunning, broker.UnsafeDirectory, config.BadSetting) as error:
        sys.stderr.write(f"Cannot start: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def prepare(environ: Mapping[str, str], instance: Path, *, demo: bool) -> None:
    """Migrate, and load the demo into an empty database if asked. Raises `CannotStart`."""
    say("Bringing the database up to date.")
    _command(environ, instance, "db", "upgrade")
    if demo:
        say("Loading the demo, unless there is something already.")
        _command(environ, instance, "demo", "--if-empty")


def _run(given: Mapping[str, str], *, demo: bool) -> None:
    environ = environment.complete(given)
    settings = config.load(environ)
    instance = settings.instance_dir
    held = lock.take(instance)
    _demand_free(*settings.bind)
    chosen = broker.choose(instance, environ)
    environ |= chosen.environ
    prepare(environ, instance, demo=demo)
    wanted = children.of_the_broker(chosen) + children.of_the_service(settings.bind)
    if (instance / LOGINS).exists() and not settings.platform_origins:
        address = _stage(settings)
        environ = environment.with_stand_ins(environ, address)
        wanted.append(children.stand_in(address))
    environment.remember(instance, given, environ)
    try:
        with Supervisor(wanted, instance / "logs", environ, held=[held]) as supervisor:
            _keep(supervisor, settings)
    finally:
        chosen.forget()
        os.close(held)


def _stage(settings: config.Settings) -> str:
    """Where the stand-ins stand: where the demo's links point, or else where there is room."""
    wanted = environment.beside(settings.bind)
    host, _, port = wanted.rpartition(":")
    try:
        _demand_free(host, int(port))
    except CannotStart:
        say(f"{wanted} is taken: the demo's links to the platforms will not open.")
        return environment.free_address()
    return wanted


def _demand_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"{host}:{port} cannot be listened on ({error.strerror}). "
                "Set BIND to a free one, such as BIND=127.0.0.1:8001."
            ) from error


def _command(environ: Mapping[str, str], instance: Path, *words: str) -> None:
    log = instance / "logs" / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            # The demo prints its logins, and no log holds a password.
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    if ended.returncode:
        tail = log.read_text(errors="replace")[-TAIL_BYTES:]
        raise CannotStart(f"`flask --app wsgi {' '.join(words)}` failed:\n{tail}")


def _keep(supervisor: Supervisor, settings: config.Settings) -> None:
    say("Starting web, workers and beat.")
    address = environment.reachable(":".join(map(str, settings.bind)))
    late = time.monotonic() + READY_SECONDS
    if not supervisor.keep(until=lambda: _ready(address) or time.monotonic() > late):
        return
    if time.monotonic() > late:
        say(f"Not ready after {READY_SECONDS} s. See {settings.instance_dir / 'logs'}.")
    _announce(settings)
    supervisor.keep()


def _ready(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(settings: config.Settings) -> None:
    say(f"\nHuiyin is ready: {settings.base_url}/")
    say(f"For staff:       {settings.base_url}/staff/login")
    logins = settings.instance_dir / LOGINS
    if logins.exists():
        say(f"\n{logins.read_text(encoding='utf-8').strip()}")
    if settings.smtp_url is None:
        say(f"\nLetters are written to {settings.instance_dir / 'outbox'}.")
    say("Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main())
