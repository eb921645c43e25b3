"""A name server of ours that changes its mind, and a world of its own to ask it in.

`python -m tests.platforms.names` is what runs in that world, a network namespace without a way
out: there a public address is on loopback, and the system's resolver asks us.
"""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from campaigns.platforms.base import Ask, PlatformError
from campaigns.platforms.fetch import Manners, fetch
from tests.platforms.hostile import moved, ok, serving

PUBLIC, PRIVATE = "93.184.216.34", "127.0.0.1"
NAME = "feed.example"
_SET_UP = """
ip link set lo up && ip addr add {public}/32 dev lo || exit 77
mount --bind {home}/resolv.conf /etc/resolv.conf || exit 77
mount --bind {home}/nsswitch.conf /etc/nsswitch.conf || exit 77
exec {python} -m tests.platforms.names
"""


class NoWorld(Exception):
    """This machine lets us make no namespace."""


def told(home: Path) -> dict[str, object]:
    """What `main` saw in a world of its own. Raises `NoWorld`."""
    (home / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (home / "nsswitch.conf").write_text("hosts: files dns\n")
    script = _SET_UP.format(public=PUBLIC, home=home, python=sys.executable)
    try:
        done = subprocess.run(
            ["unshare", "--map-root-user", "--mount", "--net", "sh", "-c", script],
            capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NoWorld from error
    if done.returncode == 77 or "unshare" in done.stderr:
        raise NoWorld(done.stderr)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def naming(*answers: list[str]) -> Iterator[list[str]]:
    """The first question for the name's address gets the first answer; the last is repeated.

    The list given back has the questions so far.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 53))
        wire.settimeout(0.05)
        questions: list[str] = []
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(wire, answers, questions, over))
        thread.start()
        yield questions
        over.set()
        thread.join()


def _serve(
    wire: socket.socket, answers: tuple[list[str], ...], questions: list[str], over: threading.Event
) -> None:
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            asked, sender = wire.recvfrom(512)
            wire.sendto(_answer(asked, answers, questions), sender)


def _answer(asked: bytes, answers: tuple[list[str], ...], questions: list[str]) -> bytes:
    """RFC 1035, 4.1: header, the question as it came, and an A record for each address."""
    end = asked.index(b"\0", 12) + 5
    (kind,) = struct.unpack("!H", asked[end - 4 : end - 2])
    ips: list[str] = []
    if kind == 1:
        questions.append(NAME)
        ips = answers[min(len(questions), len(answers)) - 1]
    head = asked[:2] + struct.pack("!HHHHH", 0x8180, 1, len(ips), 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4)
    return head + asked[12:end] + b"".join(record + socket.inet_aton(ip) for ip in ips)


def main() -> None:
    seen = {
        "stays public": _asked([PUBLIC], times=1),
        "turns private behind the check": _asked([PUBLIC], [PRIVATE], times=1),
        "turns private before the next question": _asked([PUBLIC], [PRIVATE], times=2),
        "is both": _asked([PUBLIC, PRIVATE], times=1),
        "turns private behind a redirect": _asked([PUBLIC], [PRIVATE], times=1, redirect=True),
    }
    json.dump(seen, sys.stdout)


def _asked(*answers: list[str], times: int, redirect: bool = False) -> dict[str, object]:
    """What became of each question, and how often the name and either server were asked."""
    play = moved(f"http://{NAME}/again") if redirect else ok(b"public")
    outcomes = []
    with (
        naming(*answers) as questions,
        serving(play, address=PUBLIC, port=80) as public,
        serving(ok(b"private"), address=PRIVATE, port=80) as private,
    ):
        for _ in range(times):
            try:
                outcomes.append(fetch(Ask(f"http://{NAME}/"), Manners("test")).body.decode())
            except PlatformError as error:
                outcomes.append(type(error).__name__)
        asked = [len(questions), len(public.requests), len(private.requests)]
    return {"outcomes": outcomes, "asked": asked}


if __name__ == "__main__":
    main()
