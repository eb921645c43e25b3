"""The SMTP dialogue: commands out, replies in, each bounded in size and in time."""

import re
import socket
import ssl
from dataclasses import dataclass
from time import monotonic

# RFC 5321 §4.5.3.1.5 allows 512 octets a line; relays that quote addresses send somewhat more.
LONGEST_LINE = 2048
MOST_LINES = 128
_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*?))?\r?\n", re.DOTALL)
# Tells the kernel that more follows at once, so that content and dot share packets.
_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)


class Dropped(Exception):
    """The relay is gone, silent for too long, or speaks what is not SMTP. The wire is of no use."""


class HungUp(Dropped):
    """The relay ended the connection, without a word that was left half said or made no sense."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply (RFC 5321 §4.2): the code of its last line and the text of each line."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines as one, free of control characters."""
        joined = " ".join(self.lines)
        return "".join(letter if letter.isprintable() else " " for letter in joined).strip()

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100


class Wire:
    """One socket to a relay. Every method may raise `Dropped`, except `stale` and `close`.

    `seconds` bounds each write, and each reply from its first to its last octet.
    """

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._seconds = seconds
        self._unread = b""

    def command(self, line: bytes) -> Reply:
        """Say one line (its end included) and wait for the reply."""
        self.write(line)
        return self.reply()

    def write(self, octets: bytes, *, more_follows: bool = False) -> None:
        """Hand all `octets` to the socket. After `Dropped` some of them may have been."""
        if self._unread:
            # Taken for the answer to what we are about to say, it could make a letter "sent".
            raise Dropped("The relay answered before it was asked.")
        flags = _MORE_FOLLOWS if more_follows and not self._is_tls else 0
        try:
            self._socket.settimeout(self._seconds)
            self._socket.sendall(octets, flags)
        except OSError as error:
            raise Dropped(f"The connection broke while we wrote ({_name(error)}).") from error

    def reply(self, seconds: float | None = None) -> Reply:
        """The next reply, in order; by default within the wire's own `seconds`."""
        deadline = monotonic() + (self._seconds if seconds is None else seconds)
        lines = []
        for _ in range(MOST_LINES):
            found = _REPLY_LINE.fullmatch(self._line(deadline))
            if not found:
                raise Dropped("The relay answered something that is not SMTP.")
            lines.append((found[3] or b"").decode("utf-8", "replace"))
            if found[2] != b"-":
                return Reply(int(found[1]), tuple(lines))
        raise Dropped("The relay's answer has no end.")

    @property
    def ahead(self) -> bool:
        """Whether the relay has said more than was read, as far as is known without looking."""
        return bool(self._unread)

    def stale(self) -> bool:
        """Whether the relay hung up, or said anything unasked, since its last reply."""
        if self._unread:
            return True
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on; `ssl.SSLCertVerificationError` if the relay is not who it says."""
        if self._unread:
            # What came in clear before the handshake could pass for the relay's later replies.
            raise Dropped("The relay spoke ahead of the encryption.")
        try:
            self._socket.settimeout(self._seconds)
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            raise Dropped(f"Encryption could not be agreed on ({_name(error)}).") from error

    def own_address(self) -> str:
        """Our end as an address literal for EHLO (RFC 5321 §4.1.3)."""
        try:
            host = str(self._socket.getsockname()[0])
        except OSError as error:
            raise Dropped(f"The connection broke at once ({_name(error)}).") from error
        return f"[IPv6:{host}]" if ":" in host else f"[{host}]"

    def farewell(self) -> None:
        """Say QUIT without waiting for the answer."""
        self.write(b"QUIT\r\n")

    def close(self) -> None:
        """Close the socket at once; the second call does nothing."""
        self._socket.close()

    @property
    def _is_tls(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)

    def _line(self, deadline: float) -> bytes:
        while (end := self._unread.find(b"\n") + 1) == 0:
            if len(self._unread) > LONGEST_LINE:
                raise Dropped("The relay's answer has a line without end.")
            self._unread += self._received(deadline)
        line, self._unread = self._unread[:end], self._unread[end:]
        return line

    def _received(self, deadline: float) -> bytes:
        left = deadline - monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            octets = self._socket.recv(4096)
        except TimeoutError as error:
            raise Dropped("The relay did not answer in time.") from error
        except OSError as error:
            raise HungUp(f"The connection broke while we waited ({_name(error)}).") from error
        if not octets:
            raise (Dropped if self._unread else HungUp)("The relay hung up.")
        return octets


def _name(error: OSError) -> str:
    return type(error).__name__
