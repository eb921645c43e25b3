"""Amounts in running text: the number meant, in the way it is written and in its unit.

What stands before and behind a number is compared as text; nobody writes regular expressions, so
none can take for ever (docs/decisions/0041-reading-any-page.md).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice

from campaigns.money import BadMoney, Money, decimals
from campaigns.platforms.base import N_
from campaigns.platforms.misread import Misread

# How numbers are written, by an example: what parts thousands, and what decimals.
WRITTEN = {
    "1,234.56": (",", "."),
    "1.234,56": (".", ","),
    "1 234,56": (" ", ","),
    "1'234.56": ("'", "."),
    "1234.56": ("", "."),
    "1234,56": ("", ","),
}
# What one of a unit is as a power of ten; `minor` is the currency's own smallest unit, and `said`
# is whatever stands behind the number, as on pages that show 9,800 元 and later 1.2 万元.
SAID, _MINOR = "said", "minor"
UNITS = {
    "major": 0, _MINOR: 0, "thousand": 3, "wan": 4, "million": 6, "ten million": 7, "yi": 8,
    SAID: 0,
}  # fmt: skip
_WORDS = {
    "元": "major", "圆": "major", "分": _MINOR, "千": "thousand", "万": "wan", "百万": "million",
    "千万": "ten million", "亿": "yi", "thousand": "thousand", "million": "million",
}  # fmt: skip
_BEHIND = re.compile(r"\s?(百万|千万|万|亿|千|元|圆|分(?!钟)|thousand\b|million\b)")
_RUN = re.compile(r"[0-9](?:[0-9.,']*[0-9])?", re.ASCII)
_RUN_WITH_SPACES = re.compile(r"[0-9](?:[0-9., ]*[0-9])?", re.ASCII)
_BLANK = re.compile(r"\s+")
_CLAUSE = re.compile("(?<![０-９])，|，(?![０-９])")
# Marks of no width, which some pages put between digits or words.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# What may stand between a label and its figure.
_BETWEEN = " :¥￥$€£"
LONGEST_LABEL = 100
_AROUND = 60
_MOST_SHOWN = 3  # of several different figures
_MINUS = ("-", "−")
_PART_OF_ANOTHER = re.compile(r"[A-Za-z_*#]$|[0-9A-Za-z][-−:/]$")
_CURRENCY = re.compile(r"(?<![A-Za-z])(?:RMB|CNY|USD|HKD|EUR)$")
_NO_AMOUNT = re.compile(r"[A-Za-z_*%+年月]|[-−:/][0-9]|\.\.")


@dataclass(frozen=True)
class Shape:
    """Where the number stands between other text, how it is written, and in what unit."""

    before: str
    after: str
    written: str
    unit: str
    currency: str


@dataclass(frozen=True)
class Found:
    """A figure as it stands in its surroundings, and as it would be stored."""

    left: str
    shown: str
    right: str
    raised: Money


def plain(text: str) -> str:
    """Text as it is compared: full-width digits and marks made plain, blanks made one.

    A full-width comma ends a clause, unless it stands between full-width digits.
    """
    text = _CLAUSE.sub(", ", text)
    spaced = _BLANK.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))
    return spaced.replace("’", "'")


def find(text: str, shape: Shape) -> list[Found]:
    """Every amount in `text` (as `plain` makes it) that the shape fits, each figure once.

    Raises `Misread` for a number in the right place that is none: masked, a code, wrongly written.
    """
    before, after = plain(shape.before).strip(), plain(shape.after).strip()
    found: dict[Money, Found] = {}
    for run in _runs(text, shape.written):
        label, negative = _label(text, run)
        behind = text[run.end() : run.end() + LONGEST_LABEL + 1].lstrip()
        if not _ends_with(label, before) or not behind.startswith(after):
            continue
        if _is_amount(text, run):
            raised = _money(run.group(), negative, behind, shape)
            found.setdefault(raised, _found(text, run, negative, raised))
        elif before or after:
            shown = text[max(0, run.start() - 1) : run.end() + 3]
            raise Misread(N_("What stands there is no plain number"), shown, setting="before")
    return list(found.values())


def only(texts: list[str], shape: Shape) -> Found:
    """The only figure in these texts, as `plain` makes them. Raises `Misread`.

    Which figures there are, if several, is told, so that a label can part them.
    """
    found = {one.raised: one for text in texts for one in find(text, shape)}
    if len(found) > 1:
        several = ", ".join(one.shown for one in islice(found.values(), _MOST_SHOWN))
        raise Misread(N_("Several different numbers fit"), several, setting="before")
    if found:
        return next(iter(found.values()))
    for setting, text in (("before", shape.before), ("after", shape.after)):
        wanted = plain(text).strip()
        if wanted and not any(wanted in one for one in texts):
            raise Misread(N_("This text is not there"), wanted, setting=setting)
    shown = " … ".join(text.strip()[:60] for text in texts)
    raise Misread(
        N_("No number stands there"), shown, setting="before" if shape.before else "place"
    )


def of_number(text: str, shape: Shape) -> Money:
    """A bare number, as JSON writes it, in the shape's unit."""
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", text, re.ASCII):
        raise Misread(N_("An amount cannot be read"), text[:40], setting="unit")
    value = Decimal(text).normalize()
    return _scaled(value, text, "major" if shape.unit == SAID else shape.unit, shape)


def numbers(text: str, written: str) -> Iterator[re.Match[str]]:
    """What could be meant: each number that stands by itself."""
    return (run for run in _runs(text, written) if _is_amount(text, run))


def _runs(text: str, written: str) -> Iterator[re.Match[str]]:
    spaces = WRITTEN[written][0] == " "
    return (_RUN_WITH_SPACES if spaces else _RUN).finditer(text)


def _label(text: str, run: re.Match[str]) -> tuple[str, bool]:
    """What stands before a number, and whether that ends with its minus sign."""
    label = text[max(0, run.start() - 2 * LONGEST_LABEL) : run.start()]
    return (label[:-1], True) if label.endswith(_MINUS) else (label, False)


def _ends_with(label: str, before: str) -> bool:
    """A colon, a blank or a currency's sign may stand between a label and its number."""
    if bare := before.rstrip(_BETWEEN):
        return label.rstrip(_BETWEEN).endswith(bare)
    return label.rstrip().endswith(before)


def _is_amount(text: str, run: re.Match[str]) -> bool:
    """Not a part of a code, a date, an hour, a share, or a number with figures left out."""
    left, right = text[max(0, run.start() - 4) : run.start()], text[run.end() : run.end() + 2]
    if _PART_OF_ANOTHER.search(left) and not _CURRENCY.search(left):
        return False
    return not _NO_AMOUNT.match(right)


def _money(number: str, negative: bool, behind: str, shape: Shape) -> Money:
    thousands, point = WRITTEN[shape.written]
    if not _pattern(thousands, point).fullmatch(number):
        raise Misread(N_("A number is written otherwise than said"), number[:40], setting="written")
    bare = number.replace(thousands, "") if thousands else number
    value = Decimal(bare.replace(point, ".")) * (-1 if negative else 1)
    said = _BEHIND.match(behind)
    word = said.group(1) if said else ""
    return _scaled(value, f"{number} {word}".strip(), _unit(word, shape), shape)


def _unit(word: str, shape: Shape) -> str:
    """Refuses a unit behind the number that is another than the one chosen."""
    named = _WORDS.get(word, "major")
    if word and shape.unit not in (SAID, named):
        raise Misread(
            N_("Behind the number stands another unit than the one chosen"), word, setting="unit"
        )
    return named if shape.unit == SAID else shape.unit


def _scaled(value: Decimal, shown: str, unit: str, shape: Shape) -> Money:
    """Noughts too are decimals: "500,000" would else be five hundred where a comma parts them."""
    power = 0 if unit == _MINOR else decimals(shape.currency) + UNITS[unit]
    minor = value.scaleb(power)
    if int(minor.as_tuple().exponent) < 0:
        raise Misread(N_("An amount has more decimals than its currency"), shown, setting="unit")
    try:
        return Money(int(minor), shape.currency)
    except BadMoney as error:
        raise Misread(N_("An amount cannot be read"), shown, setting="unit") from error


@cache
def _pattern(thousands: str, point: str) -> re.Pattern[str]:
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}}){{1,4}}|" if thousands else ""
    return re.compile(rf"(?:{grouped}[0-9]{{1,15}})(?:{re.escape(point)}[0-9]{{1,6}})?", re.ASCII)


def _found(text: str, run: re.Match[str], negative: bool, raised: Money) -> Found:
    start = run.start() - 1 if negative else run.start()
    return Found(
        text[max(0, start - _AROUND) : start],
        text[start : run.end()],
        text[run.end() : run.end() + _AROUND],
        raised,
    )
