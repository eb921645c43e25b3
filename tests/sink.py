"""A real SMTP relay on loopback that keeps what it accepts and misbehaves on order.

As a process: python -m tests.sink --port 2525 --dir DIR [--delay-ms 20] [--fault KEY=NAME …]
"""

import argparse
import json
import signal
import socket
import ssl
import struct
import sys
import threading
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Self

OFFERED = (
    "PIPELINING",
    "CHUNKING",
    "SIZE 10485760",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
)
FILE = "letters.jsonl"


class Then(Enum):
    """What a fault leaves of the connection."""

    GO_ON = auto()
    DROP = auto()
    SILENCE = auto()


@dataclass(frozen=True)
class Fault:
    """Misbehaviour at one stage: rcpt, data, content (while it arrives) or dot (once it is whole).

    `answer` replaces the usual reply. With `keep` the letter is accepted nevertheless. With
    `credulous` DATA is answered 354 although no recipient was accepted. `times` bounds how often
    it strikes under its key; None is always.
    """

    stage: str
    answer: str | None = None
    then: Then = Then.GO_ON
    keep: bool = False
    credulous: bool = False
    times: int | None = None


FAULTS: Mapping[str, Fault] = {
    "greylisted": Fault("rcpt", "451 4.7.1 come back later"),
    "greylisted-once": Fault("rcpt", "451 4.7.1 come back later", times=1),
    "full": Fault("data", "452 4.3.1 out of space"),
    "gone": Fault("rcpt", "550 5.1.1 no such mailbox"),
    "gone-but-credulous": Fault("rcpt", "550 5.1.1 no such mailbox", credulous=True),
    "rejected": Fault("dot", "554 5.7.1 content denied"),
    "later": Fault("dot", "451 4.3.0 could not store it"),
    "leaving": Fault("rcpt", "421 4.3.2 shutting down", Then.DROP),
    "leaving-at-dot": Fault("dot", "421 4.3.2 shutting down", Then.DROP),
    "cut-in-content": Fault("content", then=Then.DROP),
    "cut-after-dot": Fault("dot", then=Then.DROP),
    "cut-after-keeping": Fault("dot", then=Then.DROP, keep=True),
    "silent-after-dot": Fault("dot", then=Then.SILENCE),
    "silent-after-keeping": Fault("dot", then=Then.SILENCE, keep=True),
    "garbage": Fault("rcpt", "\x00\xff not smtp at all"),
    "garbage-at-dot": Fault("dot", "\x00\xff not smtp at all", keep=True),
}


@dataclass(frozen=True)
class Letter:
    """What the sink answered for: envelope and content, dots unstuffed."""

    sender: str
    to: tuple[str, ...]
    message: bytes


def read(directory: Path) -> list[Letter]:
    """What sinks with this directory have accepted so far; a line being written is left out."""
    path = directory / FILE
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
    rows = [json.loads(line) for line in whole]
    return [Letter(row["from"], tuple(row["to"]), b64decode(row["message"])) for row in rows]


class Sink:
    """Listens while its `with` block lasts. `letters` is what it accepted, `heard` every command,
    `flights` how often it answered: the round trips that clients waited for.

    `faults` are by recipient or, as "3", by the count of letters begun on this sink. `delay`
    seconds pass before each flight of replies, as over a line of that round-trip time.
    """

    def __init__(
        self,
        faults: Mapping[str, Fault] | None = None,
        *,
        port: int = 0,
        directory: Path | None = None,
        delay: float = 0.0,
        offered: Sequence[str] = OFFERED,
        tls: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
        login: tuple[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
    ) -> None:
        self.faults = dict(faults or {})
        self.port, self.directory, self.delay, self.offered = port, directory, delay, offered
        self.tls, self.tls_at_once = tls, tls_at_once
        self.login, self.mechanisms = login, mechanisms
        self.letters: list[Letter] = []
        self.heard: list[bytes] = []
        self.connections = 0
        self.flights = 0
        self.begun = 0
        self.stopping = threading.Event()
        self._struck: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._sessions: set[_Session] = set()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def listen(self) -> None:
        """Take connections, again on the same port after `refuse`."""
        self.stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Cut every connection and let new ones be refused."""
        self.stopping.set()
        if self._listener:
            # Closing alone would leave a thread in accept() with one more connection to take.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for session in tuple(self._sessions):
            session.cut()

    def hang_up(self) -> None:
        """End every open session as a relay does with idle ones, but go on listening."""
        for session in tuple(self._sessions):
            session.hang_up()

    def begin(self) -> str:
        """Count a letter; its number is a key of `faults`."""
        with self._lock:
            self.begun += 1
            return str(self.begun)

    def strikes(self, stage: str, keys: Sequence[str]) -> Fault | None:
        """The fault that is due at this stage for any of the keys, and count it."""
        for key in keys:
            fault = self.faults.get(key)
            if fault and fault.stage == stage:
                with self._lock:
                    self._struck[key] += 1
                    if fault.times is None or self._struck[key] <= fault.times:
                        return fault
        return None

    def accept_letter(self, letter: Letter) -> None:
        """Take responsibility: whatever happens to the answer, the letter is kept."""
        row = {
            "from": letter.sender,
            "to": letter.to,
            "message": b64encode(letter.message).decode(),
        }
        with self._lock:
            self.letters.append(letter)
            if self.directory:
                with (self.directory / FILE).open("ab") as file:
                    file.write(json.dumps(row).encode() + b"\n")

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            session = _Session(self, connected)
            self._sessions.add(session)
            threading.Thread(target=self._run, args=(session,), daemon=True).start()

    def _run(self, session: "_Session") -> None:
        with suppress(OSError, _Ended):
            session.run()
        self._sessions.discard(session)
        session.close()


class _Ended(Exception):
    """The client is gone, or the session is over."""


class _Session:
    """One client's connection, from greeting to end."""

    def __init__(self, sink: Sink, connected: socket.socket) -> None:
        self.sink, self.socket = sink, connected
        self.unread, self.unsaid = b"", b""
        self.sender = ""
        self.to: list[str] = []
        self.keys: list[str] = []
        self.refused: Fault | None = None

    def run(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.sink.tls and self.sink.tls_at_once:
            self.socket = self.sink.tls.wrap_socket(self.socket, server_side=True)
        self.say("220 sink ready")
        for line in self.lines():
            self.sink.heard.append(line)
            verb, _, rest = line.decode("utf-8", "replace").partition(" ")
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer:
                answer(rest)
            else:
                self.say("500 5.5.1 unknown command")

    def on_ehlo(self, _: str) -> None:
        extras = ["STARTTLS"] if self.may_encrypt else []
        extras += [f"AUTH {self.sink.mechanisms}"] if self.sink.login else []
        lines = ["sink", *self.sink.offered, *extras]
        for line in lines[:-1]:
            self.say(f"250-{line}")
        self.say(f"250 {lines[-1]}")

    def on_helo(self, _: str) -> None:
        self.say("250 sink")

    @property
    def may_encrypt(self) -> bool:
        return self.sink.tls is not None and not isinstance(self.socket, ssl.SSLSocket)

    def on_starttls(self, _: str) -> None:
        assert self.sink.tls
        self.say("220 go ahead")
        self.flush()
        self.socket = self.sink.tls.wrap_socket(self.socket, server_side=True)

    def on_auth(self, rest: str) -> None:
        mechanism, _, secret = rest.partition(" ")
        if mechanism == "PLAIN":
            user, password = b64decode(secret).decode().split("\0")[1:]
        else:
            user, password = (self.asked("334 VXNlcm5hbWU6"), self.asked("334 UGFzc3dvcmQ6"))
        good = (user, password) == self.sink.login
        self.say("235 2.7.0 welcome" if good else "535 5.7.8 credentials refused")

    def asked(self, question: str) -> str:
        self.say(question)
        return b64decode(next(self.lines())).decode()

    def on_mail(self, rest: str) -> None:
        self.start_over()
        self.sender = _path(rest)
        self.keys = [self.sink.begin()]
        self.say("250 2.1.0 sender ok")

    def on_rcpt(self, rest: str) -> None:
        self.keys.append(_path(rest))
        fault = self.sink.strikes("rcpt", self.keys)
        self.refused = fault
        if not fault:
            self.to.append(_path(rest))
        self.answer(fault, "250 2.1.5 recipient ok")

    def on_data(self, _: str) -> None:
        if not self.to and not (self.refused and self.refused.credulous):
            self.say("554 5.5.1 no valid recipients")
            return
        fault = self.sink.strikes("data", self.keys)
        self.answer(fault, "354 go on")
        if not fault:
            self.take_content()

    def on_bdat(self, rest: str) -> None:
        """The whole letter as one chunk; it is read even if nobody is to get it (RFC 3030 §2)."""
        size, _, last = rest.partition(" ")
        assert last == "LAST"
        message = self.octets(int(size))
        if not self.to and not (self.refused and self.refused.credulous):
            self.say("503 5.5.1 no valid recipients")
            return
        if fault := self.sink.strikes("data", self.keys):
            self.answer(fault, "")
            return
        self.take(message)

    def take_content(self) -> None:
        message = self.content()
        self.sink.heard.append(b".")
        self.take(message)

    def take(self, message: bytes) -> None:
        fault = self.sink.strikes("dot", self.keys)
        if not fault or fault.keep:
            self.sink.accept_letter(Letter(self.sender, tuple(self.to), message))
        self.answer(fault, "250 2.0.0 kept")
        self.start_over()

    def on_rset(self, _: str) -> None:
        self.start_over()
        self.say("250 2.0.0 forgotten")

    def on_noop(self, _: str) -> None:
        self.say("250 2.0.0 here")

    def on_quit(self, _: str) -> None:
        self.say("221 2.0.0 goodbye")
        self.flush()
        raise _Ended

    def start_over(self) -> None:
        self.sender, self.to, self.keys, self.refused = "", [], [], None

    def answer(self, fault: Fault | None, usual: str) -> None:
        if not fault:
            self.say(usual)
            return
        if fault.answer is not None:
            self.say(fault.answer)
        if fault.then is Then.DROP:
            self.flush()
            self.cut()
            raise _Ended
        if fault.then is Then.SILENCE:
            self.sink.stopping.wait()
            raise _Ended

    def lines(self) -> Iterator[bytes]:
        while True:
            while b"\n" not in self.unread:
                self.receive()
            line, _, self.unread = self.unread.partition(b"\n")
            yield line.rstrip(b"\r")

    def content(self) -> bytes:
        """Everything up to the final dot, which must stand between two CR LF."""
        cut = self.sink.strikes("content", self.keys)
        taken = b"\r\n"
        pieces = [taken]
        while (end := taken.find(b"\r\n.\r\n")) < 0:
            if not self.unread:
                self.receive()
            if cut:
                self.answer(cut, "")
            # Only the last octets of what is there can be part of a dot that is still arriving.
            pieces.append(self.unread)
            taken, self.unread = taken[-4:] + self.unread, b""
        self.unread = taken[end + 5 :]
        whole = b"".join(pieces)
        stuffed = whole[: len(whole) - len(self.unread) - len(b".\r\n")]
        return stuffed.replace(b"\r\n..", b"\r\n.")[2:]

    def octets(self, size: int) -> bytes:
        cut = self.sink.strikes("content", self.keys)
        pieces, missing = [], size
        while missing:
            if not self.unread:
                self.receive()
            if cut:
                self.answer(cut, "")
            pieces.append(self.unread[:missing])
            self.unread = self.unread[missing:]
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def receive(self) -> None:
        self.flush()
        octets = self.socket.recv(65536)
        if not octets:
            raise _Ended
        self.unread += octets

    def say(self, line: str) -> None:
        self.unsaid += line.encode("latin-1") + b"\r\n"

    def flush(self) -> None:
        """Replies go out only when all input is used up, as RFC 2920 §3.2 wishes."""
        if self.unsaid:
            if self.sink.delay:
                self.sink.stopping.wait(self.sink.delay)
            self.sink.flights += 1
            self.socket.sendall(self.unsaid)
            self.unsaid = b""

    def hang_up(self) -> None:
        with suppress(OSError):
            self.socket.sendall(b"421 4.4.2 idle for too long\r\n")
            self.socket.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End at once with a reset, so that what the client still writes fails."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Wakes our own thread, whose close() then sends the reset.
            self.socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()


def _path(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sink")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--without", action="append", default=[], metavar="EXTENSION")
    parser.add_argument("--fault", action="append", default=[], metavar="KEY=NAME")
    given = parser.parse_args(arguments)
    faults = {key: FAULTS[name] for key, _, name in (each.rpartition("=") for each in given.fault)}
    given.dir.mkdir(parents=True, exist_ok=True)
    offered = [each for each in OFFERED if each not in given.without]
    sink = Sink(
        faults,
        port=given.port,
        directory=given.dir,
        delay=given.delay_ms / 1000,
        offered=offered,
    )
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with sink:
        sys.stdout.write(f"{sink.url}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main(sys.argv[1:])
