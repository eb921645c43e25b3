"""Other ways to send letters, without a database, that the yardstick of mailings compares with."""

import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
SIZE = 6000  # octets of a letter


def missing() -> list[str]:
    """What cannot be compared with here, and why."""
    found = []
    if not _node():
        found.append("nodemailer: node and npm are needed, and `make bench` to install it")
    if not shutil.which("smtp-source"):
        found.append("smtp-source: it comes with Postfix, which is not on the PATH")
    return found


def commands(url: str, letters: int, story: str) -> dict[str, list[str]]:
    """How to start each that is here; one that says "ready" waits for a line."""
    found = {}
    if _node():
        script = str(HERE / "_nodemailer.mjs")
        found["nodemailer, pool of 8"] = ["node", script, url, str(letters), story]
    if source := shutil.which("smtp-source"):
        most = ["-s", "16", "-m", str(letters), "-l", str(SIZE)]
        ends = ["-f", "updates@example.org", "-t", "donor@example.org"]
        found["smtp-source -s 16"] = [source, *most, *ends, url.removeprefix("smtp://")]
    return found


def seconds(command: list[str]) -> float:
    """From when it is ready until it has sent everything. Raises if it does not."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as mailer:  # type: ignore[call-overload]
        if command[0] == "node":
            mailer.stdout.readline()
        began = time.perf_counter()
        mailer.communicate(b"go\n")
    if mailer.returncode:
        raise subprocess.CalledProcessError(mailer.returncode, command[:2])
    return time.perf_counter() - began


def _node() -> bool:
    return bool(shutil.which("node")) and (HERE / "node_modules/nodemailer").is_dir()
