"""Trying out how a page is read: one guarded question, and what would become of its answer."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from campaigns import hosts, questions, throttles
from campaigns.db import db
from campaigns.platforms import answers, charsets, generic, generic_guesses, generic_pages
from campaigns.platforms.amounts import Found
from campaigns.platforms.base import Answer, Ask, PlatformError
from campaigns.platforms.fetch import Manners, fetch
from campaigns.platforms.generic_also import Also
from campaigns.platforms.generic_guesses import Guess
from campaigns.platforms.generic_how import How
from campaigns.platforms.misread import Misread
from campaigns.web.staff.reasons import told
from campaigns.web.staff.session import me
from config import settings

ASK_SECONDS, LARGEST_ANSWER = 8.0, 2 * 1024 * 1024
TRIES, PER = 40, timedelta(minutes=10)  # of one member of staff
EXCERPT = 4000  # characters of an answer that are shown

Refuse = Callable[[str, str], None]  # a field's name, and a sentence in the reader's language


@dataclass(frozen=True)
class Tried:
    """What came of a try: the figure and what else was to be read, or guesses, or neither and the
    reasons are in the form."""

    way: str
    found: Found | None = None
    also: Also = Also()
    guesses: list[Guess] = field(default_factory=list)
    excerpt: str = ""


def look(way: str, how: How, refuse: Refuse) -> Tried | None:
    """Ask, and see what could be the figure."""
    answer = _asked(way, how, refuse)
    if answer is None:
        return None
    try:
        way, guesses = generic_guesses.way_of(answer), generic_guesses.of(answer, how)
    except PlatformError as error:
        refuse("address", told(str(error)))
        return Tried(way, excerpt=_excerpt(answer))
    return Tried(way, guesses=guesses, excerpt=_excerpt(answer))


def read(way: str, how: How, refuse: Refuse) -> Tried | None:
    """Ask, and read the answer as a listing of these settings would."""
    answer = _asked(way, how, refuse)
    if answer is None:
        return None
    found, also = None, Also()
    try:
        figure = generic_pages.find(answer, way, how)
        also = generic_pages.also(answer, way, how)
        found = figure
        if figure is None:
            refuse("place", _("The answer states no figure there."))
    except Misread as error:
        refuse(error.setting, told(str(error)))
    except PlatformError as error:
        refuse("address", told(str(error)))
    return Tried(way, found, also, excerpt=_excerpt(answer))


def mark(way: str, how: How, page: str) -> str:
    """Which settings were tried: others have not been, however alike."""
    whole = json.dumps([way, how.as_json(), page], sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def _asked(way: str, how: How, refuse: Refuse) -> Answer | None:
    """The live answer. Nothing of the database is held while we wait for it."""
    allowed = throttles.allow(f"try out a page {me().id}", TRIES, PER, datetime.now(UTC))
    db.session.commit()
    if not allowed:
        refuse("address", _("That were many tries in a row. Wait ten minutes."))
        return None
    origin = settings().platform_origins.get(generic.NAME)
    try:
        return _put(generic_pages.ask("", "", origin, way, how.as_json()))
    except Misread as error:
        refuse(error.setting, told(str(error)))
    except PlatformError as error:
        refuse("address", told(str(error)))
    except hosts.Full as error:
        db.session.commit()
        refuse("address", _again(error.wait))
    return None


def _put(ask: Ask) -> Answer:
    """The question takes a turn at its host like any other, and its host fares by it."""
    turn = hosts.admit(ask.host, datetime.now(UTC))
    db.session.commit()
    fault: PlatformError | None = None
    try:
        answer = fetch(ask, Manners.of(settings(), ASK_SECONDS, LARGEST_ANSWER))
        fault = _busy(answer)
        return answer
    except PlatformError as error:
        fault = error
        raise
    finally:
        hosts.end([questions.outcome(turn, ask.host, fault)], datetime.now(UTC))
        db.session.commit()


def _busy(answer: Answer) -> PlatformError | None:
    """What its status says of the host; what else may be wrong with an answer is said later."""
    try:
        answers.body_of(answer)
    except PlatformError as error:
        return error
    return None


def _again(wait: timedelta) -> str:
    if wait > timedelta(minutes=2):
        minutes = math.ceil(wait / timedelta(minutes=1))
        return ngettext(
            "This server does not want to be asked just now. Try again in %(num)d minute.",
            "This server does not want to be asked just now. Try again in %(num)d minutes.",
            minutes,
        )
    return ngettext(
        "This server has been asked as often as it allows. Try again in %(num)d second.",
        "This server has been asked as often as it allows. Try again in %(num)d seconds.",
        max(1, math.ceil(wait.total_seconds())),
    )


def _excerpt(answer: Answer) -> str:
    return charsets.decoded(answer.body, answer.headers)[0][:EXCERPT]
