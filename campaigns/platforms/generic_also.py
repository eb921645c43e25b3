"""What else any page says beside its figure: counts, the target, and when the figure was true."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from campaigns.money import Money
from campaigns.platforms import amounts, answers
from campaigns.platforms.amounts import SAID, Shape
from campaigns.platforms.base import N_, Answer
from campaigns.platforms.cells import BadCell, Moments
from campaigns.platforms.fields import Number
from campaigns.platforms.generic_how import How, Where
from campaigns.platforms.misread import Misread

T = TypeVar("T")
_MOMENT = re.compile(
    r"[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?[ T]?[0-9]{1,2}[:时][0-9]{1,2}"
    r"(?:[:分][0-9]{1,2}(?:\.[0-9]{1,9})?秒?|分)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?", re.ASCII)  # in seconds, or in thousandths
_BETWEEN = " :"
# Money of a currency without decimals is counted in ones, as people are.
_ONES = "JPY"

# The texts that stand at a place; None for a null of JSON.
Look = Callable[[str], list[str] | None]


@dataclass(frozen=True)
class Also:
    """What was said to be read; None where nothing was, or where JSON says null."""

    donations: int | None = None
    donors: int | None = None
    target: Money | None = None
    as_of: datetime | None = None


def of(answer: Answer, look: Look, how: How) -> Also:
    """All that the settings name; what is missing is an error, as the figure is.

    Raises `Misread`, which names the setting, and `Unreadable` for a moment still to come.
    """
    return Also(
        _at("donations", look, how, _count),
        _at("donors", look, how, _count),
        _at("target", look, how, _target),
        _as_of(answer, look, how),
    )


def _as_of(answer: Answer, look: Look, how: How) -> datetime | None:
    """Where the figure is said to have a moment of its own, there has to be one."""
    stated = _at("as_of", look, how, _moment)
    if stated is not None:
        return answers.moment_of(stated, answer)
    if how.where("as_of").said:
        raise Misread(N_("The answer does not say when its figure was true"),
                      setting="as_of_place")  # fmt: skip
    return None


def _at(name: str, look: Look, how: How, read: Callable[[list[str], Where, How], T]) -> T | None:
    where = how.where(name)
    if not where.said:
        return None
    try:
        texts = look(where.place)
        return None if texts is None else read(texts, where, how)
    except Misread as error:
        # Told beside a field of this part that was filled in, not beside the figure's.
        by_text = where.before and (error.setting != "place" or not where.place)
        error.setting = f"{name}_before" if by_text else f"{name}_place"
        raise


def _count(texts: list[str], where: Where, how: How) -> int:
    shape = Shape(where.before, "", how.written, SAID, _ONES)
    count = _only(texts, shape).minor
    if count < 0:
        raise Misread(N_("A count is below zero"), count)
    return count


def _target(texts: list[str], where: Where, how: How) -> Money:
    return _only(texts, replace(how.shape, before=where.before, after=""))


def _only(texts: list[str], shape: Shape) -> Money:
    if texts and isinstance(texts[0], Number):
        return amounts.of_number(texts[0], shape)
    return amounts.only(texts, shape).raised


def _moment(texts: list[str], where: Where, how: How) -> datetime:
    """A day without its hour is none: the figure may be of any. Without a zone it is China's."""
    if len(texts) == 1 and _EPOCH.fullmatch(texts[0].strip()):
        told = texts[0].strip()
        return datetime.fromtimestamp(int(told[:10]), UTC)
    before = amounts.plain(where.before).rstrip(_BETWEEN)
    found = {
        run.group(): None
        for text in texts
        for run in _MOMENT.finditer(text)
        if text[: run.start()].rstrip(_BETWEEN).endswith(before)
    }
    if len(found) != 1:
        reason = N_("No moment stands there, with its day and hour")
        if found:
            reason = N_("Several different moments fit")
        raise Misread(reason, ", ".join(list(found)[:3]), setting="before")
    try:
        return Moments().read(next(iter(found)))
    except BadCell as error:
        raise Misread(N_("A moment cannot be read"), next(iter(found)), setting="before") from error
