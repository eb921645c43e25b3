"""Marks: places in a rendered letter where each recipient's own words go."""

import re

# Private-use characters go through Markdown, sanitiser, CSS inliner and HTML escaping untouched,
# within links too, and nobody types them by accident.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MARK = re.compile(f"{_OPEN}({_NAME.pattern}){_CLOSE}")
# What must not come from outside: all that marks are made of, and a place kept beside them.
PRIVATE = re.compile("[\ue0f0-\ue0f2]")


def mark(name: str) -> str:
    """What stands for the field `name` (lower case, digits, underscores) in a letter's texts."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a field of a letter.")
    return f"{_OPEN}{name}{_CLOSE}"


def pieces(text: str) -> list[str]:
    """The text cut at its marks: fixed text and names of fields by turns, fixed at both ends."""
    return _MARK.split(text)


def names(text: str) -> frozenset[str]:
    """The fields that the text asks for."""
    return frozenset(pieces(text)[1::2])
