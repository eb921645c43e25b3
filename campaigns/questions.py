"""Questions: what is asked about one listing, putting it, and what came of it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from campaigns.hosts import Outcome
from campaigns.platforms import registry
from campaigns.platforms.base import (
    N_,
    Answer,
    Ask,
    Busy,
    PlatformError,
    Reading,
    Unreachable,
    Unreadable,
)

log = logging.getLogger(__name__)

Fetch = Callable[[Ask], Answer]


@dataclass(frozen=True)
class Question:
    """One due listing, with all that is needed to ask without the database.

    One taken `ahead` is put when another to its host was answered well, and not before.
    """

    listing_id: int
    turn_id: int
    host: str
    platform: str
    external_id: str
    url: str
    way: str | None
    how: Mapping[str, object] | None
    etag: str | None
    last_modified: str | None
    ahead: bool = False


@dataclass(frozen=True)
class Response:
    """What came of a question: a reading, "nothing changed" (neither), or an error.

    `answer` is what the platform said, also where that could not be read.
    """

    question: Question
    reading: Reading | None = None
    error: PlatformError | None = None
    answer: Answer | None = None

    @property
    def outcome(self) -> Outcome:
        return outcome(self.question.turn_id, self.question.host, self.error)


def outcome(turn_id: int, host: str, error: PlatformError | None) -> Outcome:
    """A page that is gone, refused or changed is no fault of its host."""
    patience = error.retry_after if isinstance(error, Busy) else None
    return Outcome(turn_id, host, isinstance(error, Busy | Unreachable), patience)


def put(question: Question, fetch: Fetch, origins: Mapping[str, str]) -> Response:
    """Ask the platform. Never raises: whatever goes wrong concerns this one listing alone.

    Knows no database, so any thread may.
    """
    answer = None
    try:
        platform = registry.platform(question.platform)
        origin, how = origins.get(question.platform), question.how
        ask = platform.ask(question.external_id, question.url, origin, question.way, how)
        answer = fetch(ask.unless_changed(question.etag, question.last_modified))
        reading = None if answer.not_modified else platform.read(answer, question.way, how)
    except PlatformError as error:
        return Response(question, error=error, answer=answer)
    except Exception as error:
        # A fault of ours, but the other listings of this round are not to suffer by it.
        log.exception("Listing %d could not be asked.", question.listing_id)
        fault = Unreadable(N_("Our own fault"), type(error).__name__)
        return Response(question, error=fault, answer=answer)
    return Response(question, reading, answer=answer)
