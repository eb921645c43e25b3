"""Askers: threads that put questions; who is answered goes on with the next to the same host."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from types import TracebackType
from typing import NamedTuple, Self

from campaigns.questions import Question, Response


class Came(NamedTuple):
    """What happened since the last time.

    `begun` are questions that were taken ahead and followed others since; `left` are those that
    are not to be put, since their host did not answer well or time is up.
    """

    responses: list[Response]
    begun: list[Question]
    left: list[Question]


class Askers:
    """As many threads as questions may be under way at once, and what was taken ahead for them.

    The database learns later who followed whom: until then the place at the host is noted as that
    of the question before, so there are never more at once than are noted. `until` is how long
    that may be relied on, by `time.monotonic`; from then on nothing follows.
    """

    def __init__(self, width: int, put: Callable[[Question], Response]) -> None:
        self.until = 0.0
        self._put, self._threads = put, ThreadPoolExecutor(width)
        self._under_way: dict[int, Question] = {}
        # What the threads change, too, and are to find as it belongs together.
        self._news = Condition()
        self._came = Came([], [], [])
        self._ahead: defaultdict[str, deque[Question]] = defaultdict(deque)
        self._ailing: set[str] = set()
        self._broken: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        at: TracebackType | None,
    ) -> None:  # fmt: skip
        """Waits until what was put is answered; nothing follows it."""
        self.until = 0.0
        self._threads.shutdown()

    @property
    def under_way(self) -> int:
        """How many questions were put whose responses `came` has not told."""
        return len(self._under_way)

    @property
    def ahead(self) -> int:
        """How many questions wait to follow others."""
        with self._news:
            return sum(map(len, self._ahead.values()))

    @property
    def held(self) -> list[int]:
        """The listings of all these questions."""
        with self._news:
            waiting = [one for some in self._ahead.values() for one in some]
            return [
                one.listing_id for one in (*self._under_way.values(), *waiting, *self._came.begun)
            ]

    @property
    def spare(self) -> Counter[str]:
        """By host, how many questions are under way with none to follow them."""
        with self._news:
            waiting = Counter({host: len(some) for host, some in self._ahead.items()})
            return Counter(one.host for one in self._under_way.values()) - waiting

    def begin(self, questions: Iterable[Question]) -> None:
        """Put them; those ahead once others to their hosts are answered."""
        for question in questions:
            if not question.ahead:
                self._start(question)
                continue
            with self._news:
                # It was taken before that failure was known.
                ails = question.host in self._ailing
                (self._came.left if ails else self._ahead[question.host]).append(question)

    def came(self, patience: float | None, enough: int) -> Came:
        """As soon as there are so many responses, or patience is over; then maybe nothing."""
        with self._news:
            self._news.wait_for(
                lambda: len(self._came.responses) >= enough or self._broken, patience
            )
            if self._broken:
                raise self._broken
            came, self._came = self._came, Came([], [], [])
            self._ailing.clear()
            follow = self._late(came)
            if time.monotonic() >= self.until:
                for waiting in self._ahead.values():
                    came.left.extend(waiting)
                    waiting.clear()
        self._under_way |= {question.listing_id: question for question in came.begun}
        for response in came.responses:
            del self._under_way[response.question.listing_id]
        for question in follow:
            came.begun.append(question)
            self._start(question)
        return came

    def _start(self, question: Question) -> None:
        self._under_way[question.listing_id] = question
        self._threads.submit(self._work, question)

    def _work(self, question: Question) -> None:
        """Put this and what follows it."""
        following: Question | None = question
        try:
            while following is not None:
                response = self._put(following)
                with self._news:
                    following = self._next(response)
                    self._came.responses.append(response)
                    if following is not None:
                        self._came.begun.append(following)
                    self._news.notify()
        except BaseException as error:
            with self._news:
                self._broken = error
                self._news.notify()
            raise

    def _next(self, response: Response) -> Question | None:
        """A host that ails is asked nothing more before the database knows of it."""
        host = response.question.host
        if response.outcome.failed:
            self._ailing.add(host)
            self._came.left.extend(self._ahead.pop(host, ()))
            return None
        if time.monotonic() >= self.until or not self._ahead[host]:
            return None
        return self._ahead[host].popleft()

    def _late(self, came: Came) -> list[Question]:
        """What was taken ahead too late for the thread that it was to go on: it follows now."""
        free = Counter(response.question.host for response in came.responses)
        free -= Counter(question.host for question in came.begun)
        follow = []
        for host, places in free.items():
            while places > 0 and self._ahead[host] and time.monotonic() < self.until:
                follow.append(self._ahead[host].popleft())
                places -= 1
        return follow
