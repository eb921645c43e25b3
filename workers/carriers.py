"""Carriers: threads that hold one open connection each and at most one letter."""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread

from campaigns.composition import Written
from campaigns.mail.transport import Connection, Outcome, State, Transport, Unreachable
from campaigns.model.delivery import Claim

log = logging.getLogger(__name__)
# A letter whose claim is older than this is not offered any more: this process was stopped for a
# while, and others may have given its claims up for dead. Well below `leases.LEASE`.
STALE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class InHand:
    """A letter between its claim and its outcome. `since` is the uptime before it was claimed."""

    claim: Claim
    written: Written
    since: float

    @property
    def stale(self) -> bool:
        return uptime() - self.since > STALE_SECONDS


@dataclass(frozen=True, slots=True)
class Report:
    """What a carrier says. `done` and `outcome`: a letter's end; an outcome of None means that it
    was never offered. `ready` tells that the carrier can take a letter; `gone` why it ended."""

    carrier: "Carrier"
    done: InHand | None = None
    outcome: Outcome | None = None
    at: datetime | None = None
    ready: bool = False
    gone: str | None = None


def uptime() -> float:
    """Seconds that no clock setting moves, and that go on while the machine or we are stopped."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Carrier:
    """One connection. Reports to `reports` and is given letters by whoever reads there."""

    def __init__(self, transport: Transport, reports: SimpleQueue[Report]) -> None:
        self._transport, self._reports = transport, reports
        self._letters: SimpleQueue[InHand | None] = SimpleQueue()
        self._connection: Connection | None = None
        self.stopped = False
        Thread(target=self._run, name="carrier", daemon=True).start()

    def give(self, letter: InHand) -> None:
        """Carry a letter. Only one at a time, and only after a report of being ready."""
        self._letters.put(letter)

    def stop(self) -> None:
        """End after the letter in hand, if there is one. May be repeated; give it no more."""
        self.stopped = True
        self._letters.put(None)

    def _run(self) -> None:
        reason = "stopped"
        try:
            self._connection = self._transport.connect()
            self._reports.put(Report(self, ready=True))
            while letter := self._letters.get():
                self._carry(letter)
        except Unreachable as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - the top of a thread; the committer must know
            log.exception("A carrier ended.")
            reason = type(error).__name__
        finally:
            self._close()
            self._reports.put(Report(self, gone=reason))

    def _carry(self, letter: InHand) -> None:
        """Raises `Unreachable` if there is no more connection to be had."""
        try:
            outcome = self._send(letter)
        except Unreachable:
            self._done(letter, None, ready=False)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the letter may be under way
            log.exception("A letter's sending broke off.")
            outcome = Outcome(State.UNKNOWN, None, type(error).__name__, connection_lost=True)
        lost = outcome is not None and outcome.connection_lost
        self._done(letter, outcome, ready=not lost)
        if lost:
            self._reconnect()
            self._reports.put(Report(self, ready=True))

    def _send(self, letter: InHand) -> Outcome | None:
        """None if the letter is stale. Raises `Unreachable` if it cannot be offered.

        A connection found closed before the letter was offered is replaced by a fresh one, once.
        """
        written = letter.written
        if self._connection is not None and not letter.stale:
            with suppress(Unreachable):
                return self._connection.send(written.sender, written.to, written.message)
            self._reconnect()
        if self._connection is None or letter.stale:
            return None
        return self._connection.send(written.sender, written.to, written.message)

    def _reconnect(self) -> None:
        self._close()
        self._connection = self._transport.connect()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _done(self, letter: InHand, outcome: Outcome | None, *, ready: bool) -> None:
        at = datetime.now(UTC)
        self._reports.put(Report(self, done=letter, outcome=outcome, at=at, ready=ready))
