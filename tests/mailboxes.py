"""Mailboxes on loopback that speak IMAP and POP3, and misbehave on order."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PASSWORD = "p ss"


@dataclass
class Server:
    """What is in the mailbox, by number, and its flags. `fault` is one of the names below."""

    protocol: str
    messages: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    fault: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"{self.protocol}://bounces%40x:p%20ss@127.0.0.1:{self.port}/INBOX"

    def put(self, *messages: bytes) -> None:
        for message in messages:
            self.messages[max(self.messages, default=0) + 1] = message

    def unseen(self) -> list[int]:
        return [one for one in self.messages if not self.flags.get(one)]


@contextmanager
def standing(protocol: str) -> Iterator[Server]:
    server, done = Server(protocol), threading.Event()
    talk = _imap if protocol == "imap" else _pop
    threads = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        listening.settimeout(0.1)

        def accept() -> None:
            while not done.is_set():
                with suppress(OSError):
                    peer, _ = listening.accept()
                    threads.append(threading.Thread(target=_serve, args=(server, peer, talk)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        yield server
        done.set()
        accepting.join()
        for thread in threads:
            thread.join()


def _serve(server: Server, peer: socket.socket, talk: object) -> None:
    with peer, suppress(OSError, ValueError), peer.makefile("rwb") as stream:
        peer.settimeout(5)
        if server.fault == "drip":
            while True:
                stream.write(b"*")
                stream.flush()
                time.sleep(0.1)
        for answer in talk(server, stream):  # type: ignore[operator]
            stream.write(answer)
            stream.flush()


def _imap(server: Server, stream: Iterator[bytes]) -> Iterator[bytes]:
    yield b"* OK ready\r\n"
    for line in stream:
        tag, command, *rest = line.decode().split(" ", 2)
        command, about = command.strip().upper(), rest[0].strip() if rest else ""
        done = f"{tag} OK done\r\n".encode()
        if server.fault == "nonsense" and command != "CAPABILITY":
            yield b"\xff\xfe * ( { \r\n"
        elif command == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n" + done
        elif command == "LOGIN" and about != f'bounces@x "{PASSWORD}"':
            yield f"{tag} NO who are you\r\n".encode()
        elif command == "UID":
            yield from _uid(server, about, done)
        else:
            yield done


def _uid(server: Server, about: str, done: bytes) -> Iterator[bytes]:  # noqa: C901 - one branch a command
    what, _, about = about.partition(" ")
    number = int(found[0]) if (found := re.match(r"\d+", about)) else 0
    if what == "SEARCH":
        names = " ".join(map(str, server.unseen()))
        yield f"* SEARCH {names}\r\n".encode() + done
    elif what == "FETCH" and server.fault == "giant":
        yield b"* 1 FETCH (UID 1 BODY[]<0> {1000000000}\r\n"
    elif what == "FETCH" and server.fault == "cut":
        yield b"* 1 FETCH (UID 1 BODY[]<0> {1000}\r\nReturn-Path"
        raise OSError
    elif what == "FETCH" and server.fault == "endless":
        while True:
            yield b"* 1 FETCH (UID 1)\r\n" * 1000
    elif what == "FETCH":
        most = int(re.findall(r"<0\.(\d+)>", about)[0])
        body = server.messages[number][:most]
        head = f"* 1 FETCH (UID {number} BODY[]<0> {{{len(body)}}}\r\n".encode()
        yield head + body + b")\r\n" + done
    elif what == "STORE":
        server.flags.setdefault(number, set()).add(about.split("(")[1].rstrip(")"))
        yield done
    else:
        if r"\Deleted" in server.flags.get(number, ()):
            del server.messages[number]
        yield done


def _pop(  # noqa: C901 - one branch a command
    server: Server, stream: Iterator[bytes]
) -> Iterator[bytes]:
    yield b"+OK ready\r\n"
    deleted = []
    for line in stream:
        command, *about = line.decode().split()
        if command == "PASS" and line.strip() != f"PASS {PASSWORD}".encode():
            yield b"-ERR who are you\r\n"
        elif server.fault == "nonsense" and command == "LIST":
            yield b"+OK\r\n\xff \xff\r\n.\r\n"
        elif command == "LIST":
            rows = "".join(f"{one} {len(body)}\r\n" for one, body in server.messages.items())
            yield f"+OK\r\n{rows}.\r\n".encode()
        elif command == "TOP" and server.fault == "no TOP":
            yield b"-ERR what\r\n"
        elif command in ("TOP", "RETR") and server.fault in ("giant", "endless"):
            yield b"+OK\r\n"
            while True:
                yield b"x" * 100_000
        elif command in ("TOP", "RETR") and server.fault == "cut":
            yield b"+OK\r\nReturn-Path"
            raise OSError
        elif command in ("TOP", "RETR"):
            lines = server.messages[int(about[0])].split(b"\r\n")
            stuffed = [b"." + one if one.startswith(b".") else one for one in lines]
            yield b"+OK\r\n" + b"\r\n".join(stuffed) + b"\r\n.\r\n"
        elif command == "DELE":
            deleted.append(int(about[0]))
            yield b"+OK\r\n"
        elif command == "QUIT":
            for number in deleted:
                del server.messages[number]
            yield b"+OK bye\r\n"
            return
        else:
            yield b"+OK\r\n"
