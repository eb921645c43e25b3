"""The contract of platforms: what a module that knows one declares."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from campaigns.platforms.base import Answer, Ask, Reading, Recognised


class Way(NamedTuple):
    """One of the ways by which a platform can be asked; `label` is a msgid."""

    name: str
    label: str


class Platform(Protocol):
    """What a module that knows a platform declares. Its own name is the platform's name.

    `ORIGIN` is None where every listing has a server of its own. `CURRENCY` is None where the
    answer says. `DATED` is whether the answer says when its figure was true; else that is when it
    was asked. `origin`, if given, replaces the platform's own (a stand-in). `way` is the name of
    one of `WAYS`, None the first; `how` is what a listing's row tells `generic` alone.
    """

    LABEL: str
    ORIGIN: str | None
    CURRENCY: str | None
    DATED: bool
    WAYS: tuple[Way, ...]

    def recognise(self, url: str) -> Recognised | None:
        """Understand a pasted address; None if it is not one of this platform's. Never raises."""

    def ask(
        self, external_id: str, url: str, origin: str | None = None, way: str | None = None,
        how: Mapping[str, object] | None = None,
    ) -> Ask:  # fmt: skip
        """The request that tells a listing's figure. Raises `Unreadable` for an unknown way."""

    def read(
        self, answer: Answer, way: str | None = None, how: Mapping[str, object] | None = None
    ) -> Reading:
        """Understand the answer. Raises the `PlatformError` that fits, nothing else."""
