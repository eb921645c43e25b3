"""Slots: places in what staff write that are filled in later, as {{ donor.name | default("you") }}.

The grammar is this and no more: a known name, and perhaps what stands there where there is no
value. Nothing that is written between the braces is ever run.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from campaigns.mail.marks import PRIVATE

# A recipient's own; what is the same for all; and what fills a paragraph of its own.
DONOR = ("donor.name",)
FACTS = ("campaign.title", "organisation.name")
BLOCKS = ("campaign.progress", "campaign.figures", "campaign.milestones")
EVERYWHERE = ("donor.name", "organisation.name")
# As people type it, with the quotes and brackets of either language.
_SLOT = re.compile(
    r"\{\{[ \t]*(?P<field>[a-z]{1,20}\.[a-z]{1,20})[ \t]*"
    r"(?P<default>[|｜][ \t]*default[ \t]*"
    r"(?:[(（][ \t]*[\"'“”‘’「](?P<fallback>[^\"'“”‘’「」{}\n]{0,100})[\"'“”‘’」][ \t]*[)）])?)?"
    r"[ \t]*\}\}"
)
_BRACES = re.compile(r"\{\{[^{}\n]{0,40}(?:\}\})?|\}\}")
_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+\-.!|])")


class BadSlot(Exception):
    """A slot that cannot be filled. Its text is a sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`fallback` is what stands there without a value; None where nobody said."""

    field: str
    fallback: str | None = None

    def or_else(self) -> str:
        """What stands there without a value, in the language at hand."""
        return _("friend") if self.fallback is None else self.fallback


def check(words: str, known: Collection[str]) -> None:
    """Raises `BadSlot` unless each slot is one of `known`, and blocks have their own lines."""
    for match in _SLOT.finditer(words):
        field = match["field"]
        if field not in known:
            raise BadSlot(_unknown(match[0], known))
        if match["default"] and field not in DONOR:
            raise BadSlot(_("“%(field)s” always has a value, so leave “default” out.", field=field))
        if field in BLOCKS and not _stands_alone(match):
            raise BadSlot(_("Put {{ %(field)s }} on a line of its own.", field=field))
    if stray := _BRACES.search(_SLOT.sub("", words)):
        raise BadSlot(_unknown(stray[0], known))


def filled(words: str, fill: Callable[[Slot], str | None]) -> str:
    """The words with what `fill` gives in place of each slot; None leaves a slot as it is."""

    def one(match: re.Match[str]) -> str:
        put = fill(Slot(match["field"], match["fallback"]))
        return match[0] if put is None else put

    return _SLOT.sub(one, PRIVATE.sub("", words))


def impersonal(words: str, escape: Callable[[str], str] = str) -> str:
    """To nobody in particular, in the language at hand: as anybody may read it."""
    return filled(words, lambda slot: escape(slot.or_else()) if slot.field in DONOR else None)


def of(words: str) -> Iterator[Slot]:
    """The slots in the words, in their order."""
    return (Slot(match["field"], match["fallback"]) for match in _SLOT.finditer(words))


def inert(words: str) -> str:
    """The words as Markdown that means nothing but them, in one line."""
    plain = " ".join(words.split())
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ACTIVE.sub(r"\\\1", escaped)


def _stands_alone(match: re.Match[str]) -> bool:
    begin = match.string.rfind("\n", 0, match.start()) + 1
    end = match.string.find("\n", match.end())
    line = match.string[begin : end if end >= 0 else None].rstrip()
    return line == match[0]


def _unknown(written: str, known: Collection[str]) -> str:
    every = _(", ").join(f"{{{{ {name} }}}}" for name in known)
    return _("“%(written)s” is no field here. There are: %(known)s.", written=written, known=every)
