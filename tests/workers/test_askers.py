"""Askers: who is answered goes on at once, and nothing follows where it should not."""

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from campaigns.platforms.base import Busy, PlatformError
from campaigns.questions import Question, Response
from workers.askers import Askers, Came

PATIENCE = 10.0


class Platforms:
    """Each question waits until a test answers it; `put` has them in the order they came."""

    def __init__(self) -> None:
        self.put: SimpleQueue[int] = SimpleQueue()
        self._answers: dict[int, SimpleQueue[PlatformError | None]] = {}

    def ask(self, question: Question) -> Response:
        self.put.put(question.listing_id)
        return Response(question, error=self._of(question.listing_id).get(timeout=PATIENCE))

    def answer(self, *numbers: int, error: PlatformError | None = None) -> None:
        for number in numbers:
            self._of(number).put(error)

    def asked(self) -> int:
        return self.put.get(timeout=PATIENCE)

    def _of(self, number: int) -> SimpleQueue[PlatformError | None]:
        return self._answers.setdefault(number, SimpleQueue())


@pytest.fixture
def platforms() -> Platforms:
    return Platforms()


@pytest.fixture
def askers(platforms: Platforms) -> Iterator[Askers]:
    with Askers(4, platforms.ask) as askers:
        askers.until = time.monotonic() + 60
        yield askers
        platforms.answer(*range(10))


def question(number: int, host: str = "one.example", *, ahead: bool = False) -> Question:
    return Question(number, number, host, "tencent", "1", "", None, None, None, None, ahead)


def numbers(questions: list[Question]) -> list[int]:
    return [question.listing_id for question in questions]


def answered(came: Came) -> list[int]:
    return [response.question.listing_id for response in came.responses]


def test_who_is_answered_goes_on_before_anybody_was_told(
    platforms: Platforms, askers: Askers
) -> None:
    askers.begin([question(1), question(2, ahead=True), question(3, ahead=True)])
    platforms.answer(1, 2)
    assert [platforms.asked() for _ in range(3)] == [1, 2, 3]
    came = askers.came(PATIENCE, 2)
    assert (answered(came), numbers(came.begun), came.left) == ([1, 2], [2, 3], [])
    assert (askers.under_way, askers.ahead, askers.held) == (1, 0, [3])


def test_what_is_ahead_waits_for_its_own_host(platforms: Platforms, askers: Askers) -> None:
    askers.begin([question(1), question(2, "two.example"), question(3, ahead=True)])
    platforms.answer(2)
    came = askers.came(PATIENCE, 1)
    assert (answered(came), came.begun, askers.ahead) == ([2], [], 1)
    assert (sorted(askers.held), askers.spare) == ([1, 3], {})


def test_where_nothing_is_ahead_there_may_be_as_many_as_are_asked(
    platforms: Platforms, askers: Askers
) -> None:
    askers.begin([question(1), question(2), question(3, "two.example"), question(4, ahead=True)])
    assert askers.spare == {"one.example": 1, "two.example": 1}


def test_nothing_follows_a_failure_of_the_host(platforms: Platforms, askers: Askers) -> None:
    askers.begin([question(1), question(2), question(3, ahead=True), question(4, ahead=True)])
    platforms.answer(1, error=Busy("Patience."))
    came = askers.came(PATIENCE, 1)
    assert (came.begun, numbers(came.left), askers.ahead) == ([], [3, 4], 0)


def test_what_was_taken_before_a_failure_was_known_is_not_put(
    platforms: Platforms, askers: Askers
) -> None:
    askers.begin([question(1), question(2)])
    platforms.answer(1, error=Busy("Patience."))
    while not askers._came.responses:
        time.sleep(0.001)
    askers.begin([question(3, ahead=True)])
    platforms.answer(2)
    came = askers.came(PATIENCE, 2)
    assert (sorted(answered(came)), came.begun, numbers(came.left)) == ([1, 2], [], [3])
    askers.begin([question(4), question(5, ahead=True)])
    assert askers.ahead == 1, "a failure that was told of is the database's to remember"


def test_what_came_too_late_for_the_thread_follows_all_the_same(
    platforms: Platforms, askers: Askers
) -> None:
    askers.begin([question(1)])
    platforms.answer(1)
    while not askers._came.responses:
        time.sleep(0.001)
    askers.begin([question(2, ahead=True), question(3, ahead=True)])
    came = askers.came(PATIENCE, 1)
    assert (numbers(came.begun), askers.ahead, sorted(askers.held)) == ([2], 1, [2, 3])
    assert [platforms.asked(), platforms.asked()] == [1, 2]


def test_when_time_is_up_nothing_follows(platforms: Platforms, askers: Askers) -> None:
    askers.begin([question(1), question(2, ahead=True)])
    askers.until = 0.0
    platforms.answer(1)
    came = askers.came(PATIENCE, 1)
    assert (came.begun, numbers(came.left)) == ([], [2])
    assert (askers.under_way, askers.ahead) == (0, 0)


def test_patience_ends_with_what_there_is(askers: Askers) -> None:
    askers.begin([question(1)])
    assert askers.came(0.01, 1) == Came([], [], [])


def test_a_thread_that_breaks_down_is_heard_of() -> None:
    def put(_: Question) -> Response:
        raise MemoryError

    with Askers(1, put) as askers:
        askers.begin([question(1)])
        with pytest.raises(MemoryError):
            askers.came(PATIENCE, 1)


def test_leaving_waits_for_answers_and_puts_nothing_more(platforms: Platforms) -> None:
    askers = Askers(2, platforms.ask)
    askers.until = time.monotonic() + 60
    askers.begin([question(1), question(2, ahead=True)])
    assert platforms.asked() == 1
    leaving = threading.Thread(target=askers.__exit__, args=(None, None, None))
    leaving.start()
    while askers.until:
        time.sleep(0.001)
    assert leaving.is_alive()
    platforms.answer(1)
    leaving.join(PATIENCE)
    assert (leaving.is_alive(), platforms.put.empty()) == (False, True)
