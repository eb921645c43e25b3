"""Lanes: the transports of an office, each with its carriers; which of them letters go by."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from queue import SimpleQueue

from campaigns import ways
from campaigns.mail.transport import Transport
from campaigns.ways import Way
from workers.carriers import Carrier, Report, uptime

log = logging.getLogger(__name__)
LONGEST_REST = 30.0
# How long to leave a transport alone whose limits are used up.
FULL_SECONDS = 0.5


class Lane:
    """One transport, for as long as its address stays the same.

    `handed` counts letters since the lane began; `news` is what the transport's row should say.
    """

    def __init__(self, way: Way) -> None:
        self.way = way
        self.carriers: set[Carrier] = set()
        self.ready: list[Carrier] = []
        self.handed = 0
        self.news: tuple[str | None, datetime | None] | None = None
        self._failures = 0
        self._rest_until = self._full_until = 0.0

    @property
    def awake(self) -> bool:
        return uptime() >= self._rest_until

    @property
    def full(self) -> bool:
        return uptime() < self._full_until

    def fill_up(self) -> None:
        """Its limits are used up; ask again in a while."""
        self._full_until = uptime() + FULL_SECONDS

    def works(self) -> None:
        if self._failures:
            self.news = (None, None)
        self._failures, self._rest_until = 0, 0.0

    def fails(self, reason: str, now: datetime) -> None:
        """Rest for longer each time; of several connections that fail at once the first counts."""
        if not self.awake:
            return
        self._failures += 1
        rest = min(2.0 ** min(self._failures, 10), LONGEST_REST)
        self._rest_until = uptime() + rest
        self.news = (reason, now + timedelta(seconds=rest))
        log.warning("No connection for letters by %s: %s", self.way.name, reason)


class Lanes:
    """At most `connections` carriers over all lanes; they report to `reports`."""

    def __init__(
        self,
        out: Transport | Callable[[], Sequence[Way]],
        connections: int,
        reports: SimpleQueue[Report],
    ) -> None:
        self._out = out if callable(out) else lambda: [Way(out, out.name)]
        self._connections, self._reports = connections, reports
        self._lanes: list[Lane] = []
        self._of: dict[Carrier, Lane] = {}

    def look(self) -> None:
        """Read which transports there are, and let connections go that are of no use any more."""
        known = {(lane.way.id, lane.way.transport): lane for lane in self._lanes}
        self._lanes = []
        for way in self._out():
            lane = known.get((way.id, way.transport)) or Lane(way)
            lane.way = way
            self._lanes.append(lane)
        for lane in self._open_ones():
            if lane not in self._lanes:
                _dismiss(lane)

    def current(self) -> list[Lane]:
        """The lanes of the lowest rank that are neither resting nor full."""
        able = [lane for lane in self._lanes if lane.awake and not lane.full]
        first = min((lane.way.rank for lane in able), default=0)
        return [lane for lane in able if lane.way.rank == first]

    @property
    def carriers(self) -> int:
        return len(self._of)

    def of(self, carrier: Carrier) -> Lane:
        return self._of[carrier]

    def open_more(self, busy: int) -> None:
        """One connection at first, then as many again, while there is a letter for each."""
        ready = sum(len(lane.ready) for lane in self._open_ones())
        current = self.current()
        if not current or any(lane.ready for lane in current) or self.carriers > ready + busy:
            return
        room = self._connections - self.carriers
        if not room:
            self._dismiss_others(current)
        for _ in range(min(room, max(1, sum(len(lane.carriers) for lane in current)))):
            lane = min(current, key=lambda lane: (len(lane.carriers) + 1) / lane.way.share)
            carrier = Carrier(lane.way.transport, self._reports)
            lane.carriers.add(carrier)
            self._of[carrier] = lane

    def free(self) -> bool:
        """Whether a letter could be handed out."""
        return any(lane.ready for lane in self.current())

    def plan(self, rooms: Callable[[list[Way]], Mapping[Way, int]]) -> list[Carrier]:
        """Carriers for the next letters in the order to use them: by shares, within limits."""
        lanes = [lane for lane in self.current() if lane.ready]
        left = rooms([lane.way for lane in lanes])
        free = {lane: min(len(lane.ready), left[lane.way]) for lane in lanes}
        for lane in lanes:
            if not left[lane.way]:
                lane.fill_up()
        planned: list[Carrier] = []
        taken: Counter[Lane] = Counter()
        while open_ones := [lane for lane in lanes if taken[lane] < free[lane]]:
            lane = min(open_ones, key=lambda lane: (lane.handed + taken[lane] + 1) / lane.way.share)
            planned.append(lane.ready[taken[lane]])
            taken[lane] += 1
        return planned

    def draws(self, used: Sequence[Carrier]) -> dict[Way, int]:
        """How many letters each transport got."""
        return Counter(self._of[carrier].way for carrier in used)

    def hand(self, carrier: Carrier) -> None:
        """The carrier is given a letter."""
        lane = self._of[carrier]
        lane.ready.remove(carrier)
        lane.handed += 1

    def ready(self, carrier: Carrier) -> None:
        lane = self._of[carrier]
        lane.works()
        if not carrier.stopped:
            lane.ready.append(carrier)

    def lose(self, carrier: Carrier, reason: str, now: datetime) -> None:
        lane = self._of.pop(carrier)
        lane.carriers.discard(carrier)
        if carrier in lane.ready:
            lane.ready.remove(carrier)
        if not carrier.stopped:
            lane.fails(reason, now)

    def tell(self) -> None:
        """Write down for staff which transport rests and why, or works again."""
        for lane in self._lanes:
            if lane.news and lane.way.id is not None:
                ways.note(lane.way, *lane.news)
            lane.news = None

    def dismiss(self) -> None:
        """Let every idle carrier go; those with a letter in hand end after it."""
        for lane in self._open_ones():
            _dismiss(lane)

    def _dismiss_others(self, current: list[Lane]) -> None:
        """Idle connections of a transport that may not be used just now take up another's room."""
        for lane in self._open_ones():
            if lane not in current and lane.ready:
                _dismiss(lane)

    def _open_ones(self) -> set[Lane]:
        return set(self._of.values())


def _dismiss(lane: Lane) -> None:
    for carrier in lane.carriers:
        if not carrier.stopped:
            carrier.stop()
    lane.ready.clear()
