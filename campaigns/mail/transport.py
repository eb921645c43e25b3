"""Transports: what every way out for letters offers, and one that only remembers, for tests."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Protocol

from campaigns.mail.address import Address


class State(StrEnum):
    """What became of one attempt. The values are those of a delivery's states."""

    SENT = "sent"  # The relay took responsibility (RFC 5321 §6.1).
    DEFERRED = "deferred"  # The relay has not taken it; a later attempt may succeed.
    FAILED = "failed"  # The relay has refused it for good.
    UNKNOWN = "unknown"  # The final dot was handed over and no answer to it was read.


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt to send one letter, as it goes on record.

    `code` is the SMTP reply that decided, None where no reply did. `answer` is at most 300
    characters, with addresses masked. After `connection_lost` the connection is of no more use.
    """

    state: State
    code: int | None = None
    answer: str = ""
    connection_lost: bool = False


class Unreachable(Exception):
    """The transport itself is not to be had, and not one byte of any letter was offered to it.

    This is no attempt: the letter keeps its tries and the transport is rested. `permanent` tells
    that only a change of settings will help (credentials refused, certificate not trusted).
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Connection(Protocol):
    """An open way out. It carries one letter at a time and belongs to one thread."""

    def send(self, sender: str, to: Address, message: bytes) -> Outcome:
        """Try once to send a message (RFC 5322, any line ends) from the envelope sender `sender`.

        Raises `Unreachable` only if the connection was found closed before the letter was
        offered: the same letter may be sent on another connection at once.
        """

    def close(self) -> None:
        """Let go, politely if possible. The second call does nothing; never raises."""


class Transport(Protocol):
    """A way out that connections can be had from, by any thread."""

    @property
    def name(self) -> str:
        """What attempts are recorded under; holds no secret."""

    def connect(self) -> Connection:
        """A new connection, ready for a letter. Raises `Unreachable`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that a `MemoryTransport` took."""

    sender: str
    to: Address
    message: bytes


class MemoryTransport:
    """Keeps letters in `kept`, in the order sent. `answer` may decide otherwise by recipient.

    While `refusing` is set, `connect` raises `Unreachable`.
    """

    name = "memory"

    def __init__(self, answer: Callable[[Address], Outcome] | None = None) -> None:
        self.kept: list[Kept] = []
        self.refusing = False
        self._answer = answer
        self._lock = Lock()

    def connect(self) -> Connection:
        if self.refusing:
            raise Unreachable("The memory transport was told to refuse.")
        return _MemoryConnection(self)

    def take(self, letter: Kept) -> Outcome:
        outcome = Outcome(State.SENT, 250, "kept") if not self._answer else self._answer(letter.to)
        if outcome.state is State.SENT:
            with self._lock:
                self.kept.append(letter)
        return outcome


class _MemoryConnection:
    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self._open = True

    def send(self, sender: str, to: Address, message: bytes) -> Outcome:
        if not self._open:
            raise Unreachable("The connection was closed.")
        outcome = self._transport.take(Kept(sender, to, message))
        self._open = not outcome.connection_lost
        return outcome

    def close(self) -> None:
        self._open = False
