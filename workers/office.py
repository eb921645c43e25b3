"""The post office of one process: its carriers, and the committer that serves them.

docs/decisions/0020-posting.md tells why it looks as it does.
"""

import logging
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Lock

from sqlalchemy.exc import SQLAlchemyError

from campaigns import addressing, claims, domains, leases, outcomes, ways
from campaigns.composition import Desk
from campaigns.db import clock, db, reading
from campaigns.mail.transport import Outcome, State, Transport
from campaigns.marks import Mark
from campaigns.model.delivery import Claim
from campaigns.ways import Way
from workers.carriers import Carrier, InHand, Report, uptime
from workers.lanes import Lanes

log = logging.getLogger(__name__)

# Open connections of one process unless WORKER_CONCURRENCY says otherwise: also the most letters
# that its death leaves unknown.
CONNECTIONS = 20
# A tick claims for so long, then waits a little for the letters in hand; 20 s are the limit.
WORK_SECONDS, DRAIN_SECONDS = 14.0, 4.0
BEAT_SECONDS, BURY_SECONDS = 1.0, 5.0
WAIT_SECONDS = 0.2
BEFORE, PATIENCE = datetime.fromtimestamp(0, UTC), timedelta(seconds=2 * WAIT_SECONDS)
# A mailing pauses itself when more than this share of its last letters failed.
FAILING_SHARE, WINDOW, FEWEST = 0.2, 100, 20


class Office:
    """Outlives ticks: a letter whose relay is silent stays with its carrier when a tick ends.

    Everything but the carriers runs in the thread that calls `work`. `out` is the only transport,
    or says which there are; it is asked every second. Claims are noted at `mark`.
    """

    def __init__(
        self,
        out: Transport | Callable[[], Sequence[Way]],
        connections: int = CONNECTIONS,
        mark: Mark | None = None,
    ) -> None:
        self.name = f"post:{socket.gethostname()[:8]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.pid = os.getpid()
        self.closing = Event()
        self._mark = mark
        self._reports: SimpleQueue[Report] = SimpleQueue()
        self._lanes = Lanes(out, connections, self._reports)
        self._in_hand: dict[Carrier, InHand] = {}
        self._unrecorded: list[outcomes.Result] = []
        self._desk = Desk()
        self._dry, self._soon = False, BEFORE
        self._watched: frozenset[str] = frozenset()
        self._beaten = self._buried = 0.0
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
            self._lanes.dismiss()
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
        self._desk, self._dry, self._soon = Desk(), False, BEFORE
        held = [letter.claim.id for letter in self._in_hand.values()]
        held += [result.claim.id for result in self._unrecorded]
        if self._mark is not None:
            self._mark.notice(datetime.now(UTC))
        leases.give_back(self.name, held)
        self._beat(at_once=True)
        self._lanes.tell()
        db.session.commit()

    def _serve(self, until: float) -> None:
        while True:
            claiming = uptime() < until and not self.closing.is_set()
            if claiming and not self._dry:
                self._lanes.open_more(len(self._in_hand))
            idle = not claiming or self._dry or not self._lanes.free()
            self._collect(WAIT_SECONDS if idle and not self._unrecorded else 0)
            self._turn(claiming and self._lanes.free())
            dry = self._dry and datetime.now(UTC) > self._soon + PATIENCE
            over = dry or not claiming or not (self._lanes.carriers or self._lanes.current())
            if over and not self._held:
                return
            if uptime() > until + DRAIN_SECONDS:
                return

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
            self._ended(carrier, report.done.claim, report.outcome, report.at)
        if report.ready:
            self._lanes.ready(carrier)
        if report.gone is not None:
            # It ended before it looked: the report of a letter's end comes before this one.
            if given := self._in_hand.pop(carrier, None):
                self._ended(carrier, given.claim, None, None)
            self._lanes.lose(carrier, report.gone, datetime.now(UTC))

    def _ended(
        self, carrier: Carrier, claim: Claim, outcome: Outcome | None, at: datetime | None
    ) -> None:
        name = self._lanes.of(carrier).way.name
        self._unrecorded.append(outcomes.Result(claim, outcome, name, at or datetime.now(UTC)))

    def _turn(self, claiming: bool) -> None:
        """One transaction: record what is waiting, then claim for the carriers that are free."""
        if not (self._unrecorded or claiming or self._failing) and not self._beat_is_due():
            return
        now, since = datetime.now(UTC), uptime()
        for mailing_id, (failed, of) in self._failing.items():
            addressing.pause_itself(mailing_id, failed, of, now)
        if self._unrecorded:
            outcomes.record(self._unrecorded, now)
        self._beat()
        self._lanes.tell()
        gate = self._gate(now, claiming)
        plan = self._lanes.plan(partial(ways.rooms, now=now)) if claiming else []
        taken = claims.claim(self.name, len(plan), now, gate) if plan else []
        ways.draw(self._lanes.draws(plan[: len(taken)]), now)
        if gate:
            gate.keep()
        db.session.commit()
        if taken and self._mark is not None:
            self._mark.keep(taken[-1].id, now)
        recorded, self._unrecorded, self._failing = self._unrecorded, [], {}
        self._judge(recorded)
        if plan:
            self._dry = len(taken) < len(plan)
            self._soon = max(self._soon, gate.soon) if gate and gate.soon else self._soon
        self._hand_out(list(zip(taken, plan, strict=False)), now, since)

    def _gate(self, now: datetime, claiming: bool) -> domains.Gate | None:
        """None while no domain is limited or slow, which costs nothing."""
        slow = {one.domain for one in self._fared() if one.code in domains.LATER}
        self._watched |= slow
        if not self._watched or not (claiming or self._unrecorded):
            return None
        gate = domains.Gate(now, slow)
        gate.learn(self._fared())
        return gate

    def _fared(self) -> list[domains.Fared]:
        """What the letters that are being recorded say of their domains."""
        return [
            domains.Fared(
                one.claim.to.address.ascii_domain,
                one.outcome.state is State.SENT,
                one.outcome.code,
                one.at,
            )
            for one in self._unrecorded
            if one.outcome is not None
        ]

    def _hand_out(self, taken: list[tuple[Claim, Carrier]], now: datetime, since: float) -> None:
        with reading():
            for claim, carrier in taken:
                try:
                    written = self._desk.write(claim, now)
                except SQLAlchemyError:
                    self._ended(carrier, claim, None, now)
                except Exception as error:  # noqa: BLE001 - one bad letter must not stop the post
                    log.error("Letter %d cannot be composed: %s", claim.id, type(error).__name__)
                    answer = f"The letter could not be composed: {type(error).__name__}."
                    self._ended(carrier, claim, Outcome(State.FAILED, None, answer), now)
                else:
                    self._lanes.hand(carrier)
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
        self._lanes.look()
        self._watched = domains.watched()
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


_VERDICTS = (State.SENT, State.FAILED)
