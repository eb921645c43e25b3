"""JSON pointers (RFC 6901): the one value of an answer that a path of names leads to.

Written here since the library for it steps into texts as if they were lists: "/raised/0" of
"123" would be "1", a figure that nobody published.
"""

import re
from collections.abc import Mapping, Sequence

from campaigns.platforms.base import N_
from campaigns.platforms.fields import Number
from campaigns.platforms.misread import Misread

LONGEST = 500
_ESCAPES = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_MOST_NAMED = 8  # members told of where one is missing


def check(pointer: str) -> None:
    """Raises `Misread` where this is no pointer that could lead to a figure."""
    if not pointer.startswith("/"):
        raise Misread(N_("A pointer begins with a slash, such as /data/raised"))
    if len(pointer) > LONGEST:
        raise Misread(N_("A pointer has more characters than it may"), LONGEST)
    if _ESCAPES.search(pointer):
        raise Misread(N_("In a pointer ~ is written ~0, and a slash within a name ~1"))


def resolve(document: object, pointer: str) -> tuple[object, object]:
    """What the pointer leads to, and what that stands in. Raises `Misread` with what is missing."""
    check(pointer)
    value, around = document, document
    names = pointer[1:].split("/")
    for depth, escaped in enumerate(names):
        here = "/" + "/".join(names[: depth + 1])
        around, value = value, _step(value, escaped.replace("~1", "/").replace("~0", "~"), here)
    return value, around


def escaped(name: str) -> str:
    """A member's name as it stands in a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _step(value: object, name: str, here: str) -> object:
    if isinstance(value, Mapping):
        if name not in value:
            raise Misread(N_("The answer holds nothing at"), f"{here} ({_members(value)})")
        return value[name]
    if isinstance(value, Sequence) and not isinstance(value, str | Number):
        if not _INDEX.fullmatch(name) or int(name) >= len(value):
            raise Misread(N_("The list in the answer has no such place"), f"{here} ({len(value)})")
        return value[int(name)]
    raise Misread(N_("The answer leads no further than to a single value at"), here)


def _members(value: Mapping[str, object]) -> str:
    names = [str(name)[:30] for name in list(value)[:_MOST_NAMED]]
    return ", ".join(names) + (" …" if len(value) > _MOST_NAMED else "")
