"""The post office of one process: its carriers, and the committer that serves them.

docs/decisions/0020-posting.md tells why it looks as it does.
"""

import logging
import os
import secrets
import socket
from collections import deque
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event, Lock

from sqlalchemy.exc import SQLAlchemyError

from campaigns import addressing, claims, leases, outcomes
from campaigns.composition import Desk
from campaigns.db import clock, db, reading
from campaigns.mail.transport import Outcome, State, Transport
from campaigns.marks import Mark
from campaigns.model.delivery import Claim
from workers.carriers import Carrier, InHand, Report, uptime

log = logging.getLogger(__name__)

# Open connections of one process unless WORKER_CONCURRENCY says otherwise: also the most letters
# that its death leaves unknown.
CONNECTIONS = 20
# A tick claims for so long, then waits a little for the letters in hand; 20 s are the limit.
WORK_SECONDS, DRAIN_SECONDS = 14.0, 4.0
BEAT_SECONDS, BURY_SECONDS = 1.0, 5.0
WAIT_SECONDS = 0.2
LONGEST_REST = 30.0
# A mailing pauses itself when more than this share of its last letters failed.
FAILING_SHARE, WINDOW, FEWEST = 0.2, 100, 20


class Office:
    """Outlives ticks: a letter whose relay is silent stays with its carrier when a tick ends.

    Everything but the carriers runs in the thread that calls `work`. Claims are noted at `mark`.
    """

    def __init__(
        self, transport: Transport, connections: int = CONNECTIONS, mark: Mark | None = None
    ) -> None:
        self.name = f"post:{socket.gethostname()[:8]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.pid = os.getpid()
        self.closing = Event()
        self._transport, self._connections = transport, connections
        self._mark = mark
        self._reports: SimpleQueue[Report] = SimpleQueue()
        self._carriers: set[Carrier] = set()
        self._ready: list[Carrier] = []
        self._in_hand: dict[Carrier, InHand] = {}
        self._unrecorded: list[outcomes.Result] = []
        self._desk = Desk()
        self._dry = False
        self._beaten = self._buried = self._rest_until = 0.0
        self._refusals = 0
        self._windows: dict[int, deque[bool]] = {}
        self._failing: dict[int, tuple[int, int]] = {}
        self._working = Lock()

    def work(self, seconds: float = WORK_SECONDS) -> None:
        """Send what is due until nothing is, at most for `seconds` and what draining takes.

        A second call at the same time returns at once. If the database fails, what became of the
        letters in hand is kept and recorded by the next call.
        """
        if not self._working.acquire(blocking=False):
            return
        try:
            self._collect(0)
            if self._held or self._is_waiting():
                self._begin()
                self._serve(uptime() + seconds)
        finally:
            db.session.rollback()
            self._dismiss()
            self._working.release()

    @property
    def _held(self) -> bool:
        return bool(self._in_hand or self._unrecorded)

    def _is_waiting(self) -> bool:
        with reading():
            waiting = claims.waiting(datetime.now(UTC))
            db.session.rollback()
        return waiting

    def _begin(self) -> None:
        self._desk, self._dry = Desk(), False
        held = [letter.claim.id for letter in self._in_hand.values()]
        held += [result.claim.id for result in self._unrecorded]
        if self._mark is not None:
            self._mark.notice(datetime.now(UTC))
        leases.give_back(self.name, held)
        self._beat(at_once=True)
        db.session.commit()

    def _serve(self, until: float) -> None:
        while True:
            claiming = uptime() < until and not self.closing.is_set()
            if claiming:
                self._open_more()
            idle = not claiming or self._dry or not self._ready
            self._collect(WAIT_SECONDS if idle and not self._unrecorded else 0)
            self._turn(len(self._ready) if claiming else 0)
            if not self._held and (self._dry or not claiming or not self._carriers):
                return
            if uptime() > until + DRAIN_SECONDS:
                return

    def _open_more(self) -> None:
        """One connection at first, then as many again, while there is a letter for each."""
        connecting = len(self._carriers) - len(self._ready) - len(self._in_hand)
        if connecting > 0 or self._ready or self._dry or uptime() < self._rest_until:
            return
        room = self._connections - len(self._carriers)
        for _ in range(min(room, max(1, len(self._carriers)))):
            self._carriers.add(Carrier(self._transport, self._reports))

    def _collect(self, seconds: float) -> None:
        """Take every report that is there; wait up to `seconds` for the first."""
        try:
            self._take(
                self._reports.get(timeout=seconds) if seconds else self._reports.get_nowait()
            )
            while True:
                self._take(self._reports.get_nowait())
        except Empty:
            return

    def _take(self, report: Report) -> None:
        carrier = report.carrier
        if report.done is not None:
            self._in_hand.pop(carrier, None)
            self._ended(report.done.claim, report.outcome, report.at)
        if report.ready and not carrier.stopped:
            self._ready.append(carrier)
            self._refusals = 0
        if report.gone is not None:
            self._lose(carrier, report.gone)

    def _lose(self, carrier: Carrier, reason: str) -> None:
        self._carriers.discard(carrier)
        if carrier in self._ready:
            self._ready.remove(carrier)
        if given := self._in_hand.pop(carrier, None):
            # It ended before it looked: the report of a letter's end comes before this one.
            self._ended(given.claim, None, None)
        if not carrier.stopped:
            self._refusals += 1
            self._rest_until = uptime() + min(2.0**self._refusals, LONGEST_REST)
            log.warning("No connection for letters: %s", reason)

    def _ended(self, claim: Claim, outcome: Outcome | None, at: datetime | None) -> None:
        result = outcomes.Result(claim, outcome, self._transport.name, at or datetime.now(UTC))
        self._unrecorded.append(result)

    def _turn(self, wanted: int) -> None:
        """One transaction: record what is waiting, then claim for the carriers that are free."""
        if not (self._unrecorded or wanted or self._failing) and not self._beat_is_due():
            return
        now, since = datetime.now(UTC), uptime()
        for mailing_id, (failed, of) in self._failing.items():
            addressing.pause_itself(mailing_id, failed, of, now)
        if self._unrecorded:
            outcomes.record(self._unrecorded, now)
        self._beat()
        taken = claims.claim(self.name, wanted, now) if wanted else []
        db.session.commit()
        if taken and self._mark is not None:
            self._mark.keep(taken[-1].id, now)
        recorded, self._unrecorded, self._failing = self._unrecorded, [], {}
        self._judge(recorded)
        if wanted:
            self._dry = len(taken) < wanted
        self._hand_out(taken, now, since)

    def _hand_out(self, taken: list[Claim], now: datetime, since: float) -> None:
        with reading():
            for claim in taken:
                try:
                    written = self._desk.write(claim, now)
                except SQLAlchemyError:
                    self._ended(claim, None, now)
                except Exception as error:  # noqa: BLE001 - one bad letter must not stop the post
                    log.error("Letter %d cannot be composed: %s", claim.id, type(error).__name__)
                    answer = f"The letter could not be composed: {type(error).__name__}."
                    self._ended(claim, Outcome(State.FAILED, None, answer), now)
                else:
                    carrier = self._ready.pop()
                    self._in_hand[carrier] = InHand(claim, written, since)
                    carrier.give(self._in_hand[carrier])
            db.session.rollback()

    def _beat_is_due(self) -> bool:
        return uptime() - self._beaten >= BEAT_SECONDS

    def _beat(self, *, at_once: bool = False) -> None:
        if not (at_once or self._beat_is_due()):
            return
        now = clock() or datetime.now(UTC)
        leases.beat(self.name, now)
        self._beaten = uptime()
        if at_once or uptime() - self._buried >= BURY_SECONDS:
            leases.bury(now)
            self._buried = uptime()

    def _judge(self, recorded: list[outcomes.Result]) -> None:
        """Look at each mailing's last letters; the next transaction pauses those that fail."""
        for result in recorded:
            mailing_id, outcome = result.claim.mailing_id, result.outcome
            if mailing_id is None or outcome is None or outcome.state not in _VERDICTS:
                continue
            window = self._windows.setdefault(mailing_id, deque(maxlen=WINDOW))
            window.append(outcome.state is State.FAILED)
            if len(window) >= FEWEST and sum(window) > FAILING_SHARE * len(window):
                self._failing[mailing_id] = (sum(window), len(window))
                del self._windows[mailing_id]

    def _dismiss(self) -> None:
        """Let idle carriers go; those with a letter in hand end after it."""
        for carrier in self._carriers:
            if carrier not in self._in_hand:
                carrier.stop()
        self._ready.clear()


_VERDICTS = (State.SENT, State.FAILED)
