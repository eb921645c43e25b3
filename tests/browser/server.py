"""The web server of the one-command run, alone, as a process of its own."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from campaigns.local.children import of_the_service

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 90
APP = "wsgi:app"


@contextmanager
def serving(
    address: str, environ: Mapping[str, str], log: Path, *, factory: str | None = None
) -> Iterator[None]:
    """Serve the service, or what `factory` ("module:function") makes, on `address`."""
    host, _, port = address.rpartition(":")
    command = of_the_service((host, int(port)))[0].command
    if factory:
        command = tuple(factory if part == APP else part for part in command) + ("--factory",)
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
    try:
        _await(server, address, log)
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while not _answers(address):
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"The server did not start: {log.read_text()[-2000:]}")
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/healthz", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False
    return True
