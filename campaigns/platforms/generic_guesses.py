"""Guesses: which numbers of an answer could be the figure, for a person to choose among."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from campaigns.platforms import (
    amounts,
    answers,
    charsets,
    generic_pages,
    pointer,
    selecting,
)
from campaigns.platforms.amounts import SAID, WRITTEN, Found, Shape
from campaigns.platforms.base import Answer, PlatformError
from campaigns.platforms.fields import Number
from campaigns.platforms.generic_how import JSON, PAGE, How

MOST = 20
_MOST_LOOKED_AT = 60
_LONGEST_TEXT = 50_000
_MOST_LEAVES = 2000
_DEEPEST = 20
_MONEY = re.compile(r"[¥￥$€£]\s?$|^\s?(?:元|万|亿|圆)")
_NAMES = re.compile(
    "rais|money|amount|total|sum|fund|donat|recv|obtain|collect|筹|募|款|金额", re.I
)
_LABEL = re.compile(r"[^\s\d,.;:，。；！!?？|/()（）\[\]{}<>\"']{1,16}[\s:：¥￥$€£\"']*$")
_ROUND = re.compile(r"\s?(?:千|万|亿|百万)")

Guess = tuple[How, Found]
Likely = tuple[bool, How, Found]


def way_of(answer: Answer) -> str:
    """Whether it looks like JSON or like a page. Raises what its status means."""
    bare = answers.without_call(answers.body_of(answer)).removeprefix(b"\xef\xbb\xbf").lstrip()
    return JSON if bare[:1] in (b"{", b"[") else PAGE


def of(answer: Answer, like: How) -> list[Guess]:
    """What could be the figure, the likeliest first; each with the settings that lead to it.

    Raises the error that the answer as a whole means, but for what is not found.
    """
    text = charsets.decoded(answers.body_of(answer), answer.headers)[0]
    blank = replace(like, place="", attribute="", before="", after="", unit="major")
    look = _in_json if way_of(answer) == JSON else _on_page
    guesses: dict[tuple[str, str], tuple[bool, Guess]] = {}
    for likely, how, found in islice(look(text, blank), 2 * MOST):
        guesses.setdefault((how.place, how.before), (likely, (how, found)))
    ranked = sorted(guesses.values(), key=lambda guess: not guess[0])
    return [guess for _likely, guess in ranked][:MOST]


def _on_page(page: str, like: How) -> Iterator[Likely]:
    """Numbers with a label before them; amounts of money are likelier."""
    text = amounts.plain(selecting.texts(page, "")[0])[:_LONGEST_TEXT]
    labelled: list[tuple[bool, How]] = []
    for run in amounts.numbers(text, like.written):
        left, right = text[max(0, run.start() - 40) : run.start()], text[run.end() : run.end() + 4]
        label = _LABEL.search(left)
        written = _written(run.group())
        if not label or written is None:
            continue
        unit = SAID if _ROUND.match(right) else "major"
        how = replace(like, before=label.group().strip(), written=written, unit=unit)
        labelled.append((bool(_MONEY.search(left) or _MONEY.match(right)), how))
    ranked = sorted(dict.fromkeys(labelled), key=lambda one: not one[0])
    for likely, how in ranked[:_MOST_LOOKED_AT]:
        with contextlib.suppress(PlatformError):
            yield likely, how, amounts.only([text], how.shape)


def _in_json(text: str, like: How) -> Iterator[Likely]:
    told = generic_pages.document(text)
    leaves = islice(_leaves(told, "", "", 0), _MOST_LEAVES)
    for place, name, value in sorted(leaves, key=lambda leaf: not _NAMES.search(leaf[1])):
        how = replace(like, place=place)
        if not isinstance(value, Number):
            run = next(amounts.numbers(value[:60], like.written), None)
            written = _written(run.group()) if run else None
            unit = SAID if run and _ROUND.match(value[run.end() :]) else "major"
            how = replace(how, written=written or like.written, unit=unit)
        with contextlib.suppress(PlatformError):
            if found := generic_pages.in_document(told, how):
                yield bool(_NAMES.search(name)), how, found


def _leaves(value: object, place: str, name: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """Each text and number, with its pointer and the last name of it."""
    if isinstance(value, str) and place and len(place) <= pointer.LONGEST:
        yield place, name, value
    if depth >= _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}/{pointer.escaped(key)}", key, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}/{index}", name, depth + 1)


def _written(number: str) -> str | None:
    """The first way of writing that this number could be in."""
    shape = Shape("", "", "", "wan", "CNY")  # four more decimals than any currency's
    for written in WRITTEN:
        try:
            if amounts.find(number, replace(shape, written=written)):
                return written
        except PlatformError:
            continue
    return None
