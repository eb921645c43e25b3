"""Providers' webhooks about mail: what one tells, in our words, whoever the provider is."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from campaigns.mail.returned import Said

LARGEST_POST = 256 * 1024
# What is older or further ahead is not taken; what may be used once is remembered for longer.
FRESH = timedelta(days=2)


class PostError(Exception):
    """A post that is not taken. The message is for its sender."""


class BadSignature(PostError):
    """It is not signed by whom the hook was set up for."""


class Malformed(PostError):
    """It is signed, or need not be, and makes no sense."""


class Unavailable(Exception):
    """What is needed to tell who sent it cannot be had just now: the post may come again."""


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a letter. `letters` are Message-IDs that it may have had and `senders` its
    envelope senders, as the provider says; `key` is the same each time the event is told."""

    key: str
    letters: tuple[str, ...]
    said: Said
    senders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """What a post tells. `once` names what may be used for one body only, empty if nothing may;
    `visit` is an address that the provider wants to be asked for, so that it goes on telling."""

    events: tuple[Event, ...] = ()
    once: str = ""
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """What else there is to know who sent a post: the password it came with, empty if none, and
    the way to what providers publish. `fetch` raises `Unavailable`."""

    password: str
    fetch: Callable[[str], bytes]


class Provider(Protocol):
    """What a module that knows a provider declares. `LABEL` is its name, `SECRET` the form of
    its secret and `OURS` whether we make the secret up, which the provider is given with the
    address. `REFUSED` are the statuses of our answers to posts that are not taken, as the provider
    understands them."""

    LABEL: str
    SECRET: re.Pattern[str]
    OURS: bool
    REFUSED: dict[type[PostError], int]

    def read(self, body: bytes, secret: str, now: datetime, beside: Beside) -> Post:
        """Verify and read. Raises `PostError`, whatever it is given, and `Unavailable`."""


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises `Malformed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is no JSON.") from error
    return inner(found)


def inner(value: object) -> dict[str, Any]:
    """An object; empty if it is anything else."""
    return value if isinstance(value, dict) else {}


def words(value: object) -> str:
    """A text or number as text; empty if it is anything else."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
