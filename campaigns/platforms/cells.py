"""Cells of exported tables: amounts, moments and numbers, read strictly and remembered.

A table of a million rows says the same few thousand amounts and minutes again and again, so what
was read once is looked up afterwards. Each memory is bounded.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar
from zoneinfo import ZoneInfo

from campaigns.money import BadMoney, Money
from campaigns.platforms import fields
from campaigns.platforms.base import LARGEST_AMOUNT, N_

T = TypeVar("T")

SHANGHAI = "Asia/Shanghai"
LONGEST_NUMBER = 200
LONGEST_TEXT = 10_000
_REMEMBERED, _SHORT = 20_000, 60  # cells, and their characters
_BLANKS = " \t\r\n\u3000\xa0`"
# What exports write where there is nothing.
_NOTHING = frozenset(("", "/", "-", "--", "—", "无"))

_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII)
_MARKS = re.compile(r"^(?:¥|CNY|RMB)|(?:元|CNY|RMB)$")
# How a spreadsheet writes a number that it has rounded; "20260907E0001" is a number of ours.
_ROUNDED = re.compile(r"[+-]?([0-9]+\.[0-9]+|[0-9](\.[0-9]+)?[eE]\+?[0-9]+|[0-9.]+[eE][+-][0-9]+)")
_DATE = r"(?P<year>\d{4})(?P<mark>[-/.年])(?P<month>\d{1,2})(?:(?P=mark)|月)(?P<day>\d{1,2})日?"
_TIME = (
    r"(?P<hour>\d{1,2})[:时](?P<minute>\d{1,2})(?:[:分](?P<second>\d{1,2})(?:\.\d{1,9})?秒?|分)?"
)
_OFFSET = r"(?P<offset>Z|[+-]\d\d:?\d\d)"
_MOMENT = re.compile(rf"{_DATE}(?:(?:[ T]+|(?<=日)){_TIME}{_OFFSET}?)?", re.ASCII)
_MINUTE = re.compile(r"\d{4}.\d\d.\d\d[ T]\d\d:\d\d", re.ASCII)
_COMPACT = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:[ T]?(?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d)?)?",
    re.ASCII,
)
_SERIAL = re.compile(r"([34567]\d{4})(?:\.(\d{1,15}))?", re.ASCII)
_NO_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zones
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS = {f":{second:02d}": timedelta(seconds=second) for second in range(60)} | {"": timedelta()}


class BadCell(ValueError):
    """A cell makes its row unreadable; the message is a sentence of the catalogue, and details."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {shortened(detail)}" if detail else reason)


class Remembered(dict[str, T]):
    """What a cell says, by how it is written; short cells are read once as long as there is room.

    Looking one up raises `BadCell` as `read` does.
    """

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> T:
        said = self._read(cell)
        if len(cell) <= _SHORT and len(self) < _REMEMBERED:
            self[cell] = said
        return said


class Moments:
    """Moments, in UTC, by how cells write them in a zone."""

    def __init__(self, zone: str = SHANGHAI) -> None:
        self._zone = ZoneInfo(zone)
        self._minutes: dict[str, datetime] = {}

    def read(self, cell: str) -> datetime:
        """Raises `BadCell` for what is no moment, or one that never was (31 February)."""
        text = cell.strip()
        try:
            return self._minutes[text[:16]] + _SECONDS[text[16:]]
        except KeyError:
            return self._learn(text)

    def _learn(self, text: str) -> datetime:
        moment = _moment(text, self._zone)
        minute, second = text[:16], text[16:]
        if _MINUTE.fullmatch(minute) and second in _SECONDS and len(self._minutes) < _REMEMBERED:
            self._minutes[minute] = moment - _SECONDS[second]
        return moment


def amount(cell: str, currency: str) -> int:
    """Minor units; trailing zeros beyond the currency's decimals are let go. Empty is zero."""
    text = unicodedata.normalize("NFKC", cell).strip(_BLANKS).replace(" ", "")
    if text in _NOTHING:
        return 0
    sign, text = ("-", text[1:]) if text[:1] in ("-", "−") else ("", text.removeprefix("+"))
    text = _MARKS.sub("", text)
    if not sign and text.startswith("-"):
        sign, text = "-", text[1:]
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    whole, _, decimals = text.partition(".")
    if decimals:
        text = whole + (f".{kept}" if (kept := decimals.rstrip("0")) else "")
    try:
        minor = Money.of(sign + text, currency).minor
    except BadMoney as error:
        raise BadCell(N_("An amount cannot be read"), cell) from error
    if abs(minor) > LARGEST_AMOUNT:
        raise BadCell(N_("An amount is too large"), cell)
    return minor


def number(cell: str) -> str | None:
    """A number somebody gave to a movement, taken exactly; None if the cell holds none.

    Raises `BadCell` for one that a spreadsheet has rounded, since its digits are lost.
    """
    if cell.isdecimal() and cell.isascii() and len(cell) <= LONGEST_NUMBER:
        return cell
    text = cell.strip(_BLANKS)
    if text.isdecimal() and text.isascii() and len(text) <= LONGEST_NUMBER:
        return text
    return _unusual(text)


def words(cell: str) -> str | None:
    """Text that people wrote; None if there is none. Raises `BadCell` if it is absurdly long."""
    text = cell.strip(_BLANKS)
    if text in _NOTHING:
        return None
    if len(text) > LONGEST_TEXT:
        raise BadCell(N_("A cell is too long"), f"{len(text):,}")
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    return fields.clean(text).strip(_BLANKS) or None


def party(cell: str) -> tuple[str | None, str | None]:
    """Name and e-mail of "张三 (zh***@example.com)"; what the platform has masked is no e-mail."""
    name, bracket, address = cell.strip(_BLANKS).replace("（", "(").partition("(")
    is_masked = "*" in address
    if not bracket or address[-1:] not in (")", "）") or not (is_masked or "@" in address):
        return words(cell), None
    return words(name), None if is_masked else words(address[:-1])


def shortened(detail: str) -> str:
    """What a reason may quote of a cell: short, one line, nothing that turns the text around it."""
    shown = " ".join(fields.clean(detail[:200]).split())
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _unusual(text: str) -> str | None:
    if text[:1].isalpha() and text.isascii() and text.isprintable() and len(text) <= LONGEST_NUMBER:
        return text
    # Excel's way of writing a text that looks like a number: ="0042" or '0042.
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1].strip(_BLANKS)
    text = text.removeprefix("'")
    if text in _NOTHING:
        return None
    if _ROUNDED.fullmatch(text):
        raise BadCell(N_("A number was rounded by a spreadsheet and has lost its digits"), text)
    if len(text) > LONGEST_NUMBER or not text.isprintable():
        raise BadCell(N_("A number cannot be read"), text)
    return text


def _moment(text: str, zone: ZoneInfo) -> datetime:
    told = unicodedata.normalize("NFKC", text).strip(_BLANKS + "'")
    found = _MOMENT.fullmatch(told) or _COMPACT.fullmatch(told)
    if not found:
        return _checked(_serial(told, text).replace(tzinfo=zone), text)
    year, month, day, hour, minute, second = (
        int(found[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")
    )
    try:
        where = _zone(found.groupdict().get("offset"), zone)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=where)
    except ValueError as error:
        raise BadCell(N_("A day or hour does not exist"), text) from error
    return _checked(moment, text)


def _serial(told: str, text: str) -> datetime:
    """A sheet's date without a date's format: days since the end of 1899."""
    found = _SERIAL.fullmatch(told)
    if not found:
        raise BadCell(N_("A time cannot be read"), text)
    fraction = found[2] or "0"
    seconds = (int(fraction) * 86400 + 10 ** len(fraction) // 2) // 10 ** len(fraction)
    return _NO_DAY + timedelta(days=int(found[1]), seconds=seconds)


def _checked(moment: datetime, text: str) -> datetime:
    try:
        read = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell(N_("A day or hour does not exist"), text) from error
    if read.astimezone(moment.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise BadCell(N_("A day or hour does not exist"), text)  # skipped by summer time
    if not _EARLIEST <= read < _LATEST:
        raise BadCell(N_("A time must lie between 1990 and 2100"), text)
    return read


def _zone(offset: str | None, zone: ZoneInfo) -> timezone | ZoneInfo:
    if not offset:
        return zone
    if offset == "Z":
        return UTC
    distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-distance if offset[0] == "-" else distance)
