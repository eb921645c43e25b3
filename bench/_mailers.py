"""Other ways to send letters that the yardstick of mailings compares with, each a process."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from config import environment

HERE = Path(__file__).parent
SIZE = 6000  # octets of a letter
# Where `make bench` unpacks Postfix: its programs need none of it to be set up.
POSTFIX = HERE / "postfix"
POST_OFFICE = [sys.executable, "-m", "bench._post_office"]


@dataclass(frozen=True)
class Mailer:
    """How to start one. `waits`: it says that it is ready, and begins at a line."""

    name: str
    command: list[str]
    waits: bool = True
    environ: Mapping[str, str] = field(default_factory=dict)


def missing() -> list[str]:
    """What cannot be compared with here, and why."""
    found = []
    if not _node():
        found.append("nodemailer: node and npm are needed, and `make bench` to install it")
    if not find_spec("post_office"):
        found.append("django-post_office: `make bench` installs it")
    if not _source():
        found.append(
            "smtp-source: it comes with Postfix, which is not on the PATH; on Debian and Ubuntu "
            "`make bench` fetches it, elsewhere install Postfix (it need not run)"
        )
    return found


def prepared(database: str) -> str:
    """The address of a database for the mailer that keeps its queue in one, with its tables.

    `database` is where one may be created. Without that mailer nothing happens.
    """
    own = make_url(database).set(database="post_office").render_as_string(hide_password=False)
    if find_spec("post_office"):
        with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as server:
            server.execute("CREATE DATABASE post_office")
        subprocess.run([*POST_OFFICE, own], check=True)
    return own


def here(url: str, letters: int, story: str, database: str) -> list[Mailer]:
    """Those that are here, to send so many letters to the relay at `url`."""
    found = []
    given = [url, str(letters), story]
    if _node():
        command = ["node", str(HERE / "_nodemailer.mjs"), *given]
        found.append(Mailer("nodemailer, pool of 8", command))
    if find_spec("post_office"):
        found.append(Mailer("django-post_office", [*POST_OFFICE, database, *given]))
    if source := _source():
        # Without -d it would open a connection for each letter.
        most = ["-d", "-s", "16", "-m", str(letters), "-l", str(SIZE)]
        ends = ["-f", "updates@example.org", "-t", "donor@example.org"]
        command = [source, *most, *ends, url.removeprefix("smtp://")]
        libraries = {"LD_LIBRARY_PATH": str(POSTFIX / "usr/lib/postfix")}
        found.append(
            Mailer("smtp-source -s 16", command, waits=False, environ=_own(source, libraries))
        )
    return found


def seconds(mailer: Mailer) -> float:
    """From when it is ready until it has sent everything. Raises if it does not."""
    environ = {**environment(), **mailer.environ}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(mailer.command, env=environ, **pipes) as process:  # type: ignore[call-overload]
        if mailer.waits:
            process.stdout.readline()
        began = time.perf_counter()
        process.communicate(b"go\n")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, mailer.command[:3])
    return time.perf_counter() - began


def _own(source: str, libraries: Mapping[str, str]) -> Mapping[str, str]:
    return libraries if source.startswith(str(POSTFIX)) else {}


def _source() -> str | None:
    places = [environment().get("PATH", ""), "/usr/sbin", str(POSTFIX / "usr/sbin")]
    return shutil.which("smtp-source", path=":".join(places))


def _node() -> bool:
    return bool(shutil.which("node")) and (HERE / "node_modules/nodemailer").is_dir()
