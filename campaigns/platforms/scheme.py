"""What every way of signing webhooks declares: its settings, its checks, and how it answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from campaigns.platforms.base import N_, BadKeys, Movement

# Reasons that several schemes give.
NOT_OURS = N_("It is of another app or merchant than the endpoint's")
UNKNOWN_KIND = N_("We do not know notices of this kind")


@dataclass(frozen=True)
class Setting:
    """One thing that an endpoint of a scheme is set up with.

    `secret`: kept sealed, never shown, and exchanged with an overlap; else plain. `many`: there
    may be several, each given as "name:which". `made`: we make it unless it is given. `long`: of
    several lines.
    """

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    needed: bool = True
    many: bool = False
    made: bool = False
    long: bool = False


@dataclass(frozen=True)
class Keys:
    """What an endpoint verifies with: secrets by name, newest first and all valid, and settings."""

    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    def valid(self, name: str) -> Sequence[str]:
        """Every valid value of a secret, newest first."""
        return self.secrets.get(name, ())

    def each(self, name: str) -> Iterator[tuple[str, Sequence[str]]]:
        """Of a secret of which there are many: which, and its valid values."""
        for full, values in self.secrets.items():
            start, colon, which = full.partition(":")
            if colon and start == name:
                yield which, values

    def plain(self, name: str) -> str:
        """A setting; empty if it was not given."""
        return self.settings.get(name, "")


@dataclass(frozen=True)
class Reply:
    """The body of our answer to a webhook, in the words its sender expects."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Sample:
    """A post as the sender would make it, and the keys it is good for.

    Those are the endpoint's, except that a key of which only the sender has the private half is
    replaced by one made for the sample.
    """

    headers: Mapping[str, str]
    body: bytes
    keys: Keys


class Scheme(Protocol):
    """What a module that knows a way of signing webhooks declares. Its name is the scheme's.

    `verify`, `movements`, `essence` and `legible` raise only the `NoticeError` that fits, whatever
    they are given.
    """

    LABEL: str
    SETTINGS: tuple[Setting, ...]

    def new_secret(self) -> str | None:
        """A fresh value for the setting that is ours to make; None if the sender gives the keys."""

    def check(self, keys: Keys) -> None:
        """Raises `BadKeys` if an endpoint could not work with these."""

    def source(self, keys: Keys) -> str | None:
        """The account its money comes through; None if only the endpoint's name says that."""

    def verify(self, headers: Mapping[str, str], body: bytes, keys: Keys, now: datetime) -> str:
        """The event's id, the same each time the event is sent, once the signature holds."""

    def movements(self, body: bytes, keys: Keys, now: datetime) -> list[Movement]:
        """The money a verified body tells of. `now`: when it arrived, also if read later."""

    def essence(self, body: bytes, keys: Keys) -> bytes:
        """What of a verified body is the same each time the event is sent."""

    def legible(self, body: bytes, keys: Keys) -> Mapping[str, object]:
        """A verified body for people to read: by name, in the clear, as JSON could hold it."""

    def sample(self, keys: Keys, now: datetime) -> Sample:
        """A donation of one yuan, for trying an endpoint out."""

    def reply(self, status: int, reason: str) -> Reply:
        """Dress our verdict (200, 202, 4xx, 503 and a sentence) the way the sender reads it."""


def told_apart(given: Mapping[str, str], declared: Sequence[Setting]) -> Keys:
    """What was given, as secrets and settings; what is empty was not given.

    Raises `BadKeys` for what nobody asked for.
    """
    known = {one.name: one for one in declared}
    secrets, settings = {}, {}
    for full, value in given.items():
        name, _, which = full.partition(":")
        if name not in known or known[name].many is not bool(which):
            raise BadKeys(full[:40], N_("The scheme has no setting of this name."))
        if value.strip() and known[name].secret:
            secrets[full] = [value.strip()]
        elif value.strip():
            settings[full] = value.strip()
    return Keys(secrets, settings)


def demand(keys: Keys, declared: Sequence[Setting]) -> None:
    """Raises `BadKeys` for the first thing that is needed and missing."""
    given = {name.partition(":")[0] for name in (*keys.settings, *keys.secrets)}
    for one in declared:
        if one.needed and one.name not in given:
            raise BadKeys(one.name, N_("This is needed."))
