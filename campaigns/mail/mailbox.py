"""Mailboxes that letters come back to: read by IMAP or POP3, a message at a time, within bounds."""

import imaplib
import poplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, Protocol, Self
from urllib.parse import unquote, urlsplit

from campaigns.mail.parts import LARGEST

# How long a server may be silent, and what no answer of one may exceed, besides a message.
SILENCE = 5.0
LONGEST_LINE = 64 * 1024
_PORTS = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# What the library's readers end in when a server talks nonsense or goes away.
_BROKEN = (
    imaplib.IMAP4.error,
    poplib.error_proto,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)


class BadMailbox(ValueError):
    """The text is no mailbox's address; the message says what one looks like, without quoting."""


class Unreadable(Exception):
    """The mailbox could not be read. The message says why, without its user or password."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is and who we are there. User and password stay out of `repr`."""

    scheme: str
    host: str
    port: int
    folder: str
    user: str = field(repr=False)
    password: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read imaps://user:password@host/INBOX or pop3s://user:password@host. Raises `BadMailbox`.

        All but the host are percent-decoded. Without encryption (imap, pop3) on loopback only.
        """
        try:
            split = urlsplit(url)
            port = split.port
        except ValueError:
            raise BadMailbox(_ADVICE) from None
        host = split.hostname or ""
        secure = split.scheme in ("imaps", "pop3s")
        known = secure or (split.scheme in _PORTS and host in _LOOPBACK)
        if not known or not host or not split.username or split.query or split.fragment:
            raise BadMailbox(_ADVICE)
        folder = unquote(split.path.strip("/")) or "INBOX"
        user, password = unquote(split.username), unquote(split.password or "")
        return cls(split.scheme, host, port or _PORTS[split.scheme], folder, user, password)

    @property
    def name(self) -> str:
        """What it is called where anybody may read it."""
        return f"{self.scheme}://{self.host}/{self.folder}"


_ADVICE = "A mailbox is written imaps://user:password@host/INBOX or pop3s://user:password@host."


class Mailbox(Protocol):
    """An open mailbox. Every call may raise `Unreadable`."""

    def waiting(self, most: int) -> list[str]:
        """Names of messages that were not settled, the oldest first, at most so many."""

    def fetch(self, name: str) -> bytes:
        """The first `LARGEST` octets of a message, which is left as it is."""

    def settle(self, name: str, *, ours: bool) -> None:
        """Remove a message, or leave one that is not ours where that can be remembered."""


@contextmanager
def opened(place: Place, seconds: float) -> Iterator[Mailbox]:
    """The mailbox, for at most so many seconds: then the connection is cut, whoever drips.

    Raises `Unreadable`, from anything inside that the server broke.
    """
    with _told(place), _Line(place, seconds) as line:
        kind = _Imap if place.scheme.startswith("imap") else _Pop
        box = kind(line)
        try:
            box.log_in(place)
            yield box
        finally:
            with suppress(*_BROKEN):
                box.close()


@contextmanager
def _told(place: Place) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Unreadable(f"{place.host} showed a certificate that is not its own.") from error
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        raise Unreadable(f"{place.host} cannot be reached ({type(error).__name__}).") from error
    except (imaplib.IMAP4.error, poplib.error_proto) as error:
        raise Unreadable(f"{place.host} refused what we asked ({type(error).__name__}).") from error


class _Line:
    """A connection that is cut when its time is up; a server that drips resets every timeout."""

    def __init__(self, place: Place, seconds: float) -> None:
        self._place = place
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._plain: socket.socket | None = None
        self._used: socket.socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        for one in (self._used, self._plain):
            if one is not None:
                one.close()

    def connect(self) -> socket.socket:
        used = socket.create_connection((self._place.host, self._place.port), SILENCE)
        # A second handle, since the first may belong to the encryption from now on.
        self._used, self._plain = used, used.dup()
        if self._place.scheme.endswith("s"):
            context = ssl.create_default_context()
            self._used = context.wrap_socket(used, server_hostname=self._place.host)
        return self._used

    def _cut(self) -> None:
        if self._plain is not None:
            with suppress(OSError):
                self._plain.shutdown(socket.SHUT_RDWR)


def _sound(call: Callable[[], Any]) -> Any:
    """What an answer says; one that makes no sense is as good as a refusal."""
    try:
        return call()
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise imaplib.IMAP4.error(f"It makes no sense: {type(error).__name__}.") from error


class _BoundedImap(imaplib.IMAP4):
    """Takes no more for one question than a message and some words around it."""

    def __init__(self, line: _Line) -> None:
        self._line, self.taken = line, 0
        super().__init__("", 0, SILENCE)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._line.connect()

    def read(self, size: int) -> bytes:
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, octets: int) -> None:
        self.taken += octets
        if self.taken > LARGEST + LONGEST_LINE:
            raise self.abort("An answer is too large.")


class _Imap:
    """What was taken is deleted; what is not ours is marked as read, and not asked for again."""

    def __init__(self, line: _Line) -> None:
        self._imap: Any = _sound(lambda: _BoundedImap(line))

    def log_in(self, place: Place) -> None:
        self._ask(lambda: self._imap.login(place.user, place.password))
        folder = place.folder.replace("\\", "\\\\").replace('"', '\\"')
        self._ask(lambda: self._imap.select(f'"{folder}"'))

    def waiting(self, most: int) -> list[str]:
        found = self._ask(lambda: self._imap.uid("SEARCH", "UNSEEN", "UNDELETED"))
        names = b" ".join(part for part in found if isinstance(part, bytes)).split()
        return [name.decode() for name in names if name.isdigit()][:most]

    def fetch(self, name: str) -> bytes:
        found = self._ask(lambda: self._imap.uid("FETCH", name, f"(BODY.PEEK[]<0.{LARGEST}>)"))
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), b"")

    def settle(self, name: str, *, ours: bool) -> None:
        flag = r"(\Deleted)" if ours else r"(\Seen)"
        self._ask(lambda: self._imap.uid("STORE", name, "+FLAGS.SILENT", flag))
        if ours and "UIDPLUS" in self._imap.capabilities:
            self._ask(lambda: self._imap.uid("EXPUNGE", name))
        elif ours:
            self._ask(self._imap.expunge)

    def close(self) -> None:
        self._imap.taken = 0
        try:
            self._imap.logout()
        finally:
            self._imap.shutdown()

    def _ask(self, call: Callable[[], Any]) -> list[Any]:
        self._imap.taken = 0
        answer, found = _sound(call)
        if answer != "OK":
            raise self._imap.error("It said no.")
        return list(found)


class _BoundedPop(poplib.POP3):
    """Keeps no more of an answer than `LARGEST`; the library would refuse longer lines."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        super().__init__("", 0, SILENCE)

    def _create_socket(self, timeout: float) -> socket.socket:
        return self._line.connect()

    def _getline(self) -> tuple[bytes, int]:
        line = self.file.readline(LONGEST_LINE)
        if not line:
            raise EOFError
        return line.rstrip(b"\r\n"), len(line)

    def _getlongresp(self) -> tuple[bytes, list[bytes], int]:
        answer = self._getresp()  # type: ignore[attr-defined]
        lines, size = [], 0
        line, length = self._getline()
        while line != b".":
            size += length
            if size <= LARGEST:
                lines.append(line[1:] if line.startswith(b"..") else line)
            line, length = self._getline()
        return answer, lines, size


class _Pop:
    """Whatever was read is deleted, since nothing else can be remembered there."""

    def __init__(self, line: _Line) -> None:
        self._pop: Any = _sound(lambda: _BoundedPop(line))

    def log_in(self, place: Place) -> None:
        _sound(lambda: self._pop.user(place.user))
        _sound(lambda: self._pop.pass_(place.password))

    def waiting(self, most: int) -> list[str]:
        _answer, lines, _size = _sound(self._pop.list)
        names = [word for line in lines for word in line.split()[:1]]
        return [name.decode() for name in names if name.isdigit()][:most]

    def fetch(self, name: str) -> bytes:
        """Its beginning by TOP, which not every server knows."""
        try:
            lines = _sound(lambda: self._pop.top(name, LARGEST // 64))[1]
        except poplib.error_proto:
            lines = _sound(lambda: self._pop.retr(name))[1]
        return b"\r\n".join(lines)[:LARGEST]

    def settle(self, name: str, *, ours: bool) -> None:
        _sound(lambda: self._pop.dele(name))

    def close(self) -> None:
        try:
            self._pop.quit()
        finally:
            self._pop.close()
