"""Strict reading of JSON that strangers wrote: a value is what we expect, or the error names it."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NoReturn, ParamSpec, TypeVar

from campaigns.money import BadMoney, Money, decimals
from campaigns.platforms.base import N_, PlatformError

P = ParamSpec("P")
T = TypeVar("T")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
# Reasons that several readers give.
MISSING = N_("A field is missing")
NO_GIFT = N_("An amount is nothing, or more than any single gift can be")
_WHOLE_NUMBER = N_("A field must be a whole number")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
# Marks that turn the direction of the text after them, across names and lines that are not theirs.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Number(str):
    """A JSON number as it was written: never rounded, and of any length without harm."""

    __slots__ = ()


class Fields:
    """The members of a JSON object. What is absent or null reads as None; a wrong one raises.

    Every error is of the type given at the start and names the member by its whole path.
    """

    def __init__(self, members: dict[str, object], error: type[PlatformError], path: str = ""):
        self._members = members
        self._error = error
        self._path = path

    @property
    def members(self) -> Mapping[str, object]:
        """All of them as they were read; numbers are `Number`s."""
        return self._members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def needed(self, read: Callable[P, T | None], /, *named: P.args, **bounds: P.kwargs) -> T:
        """What `read` (a method of this object) returns; raises where that is None."""
        value = read(*named, **bounds)
        if value is None:
            self.refuse(str(named[0]), MISSING)
        return value

    def inner(self, name: str) -> "Fields | None":
        value = self._of(name, dict, N_("A field must be an object"))
        return None if value is None else Fields(value, self._error, f"{self._path}{name}.")

    def line(self, name: str, longest: int) -> str | None:
        """An identifier or address, taken exactly or not at all; an empty one is none."""
        value = self._text(name)
        if not value:
            return None
        if value != value.strip() or any(map(_is_control, value)):
            self.refuse(name, N_("A field must be one line without spaces around it"))
        return self._bounded(name, value, longest)

    def words(self, name: str, longest: int) -> str | None:
        """Prose for people: control characters and turns of direction are left out."""
        value = self._text(name)
        if value is None:
            return None
        return self._bounded(name, clean(value), longest) or None

    def flag(self, name: str) -> bool:
        """False if absent."""
        return bool(self._of(name, bool, N_("A field must be true or false")))

    def whole(self, name: str) -> int | None:
        """A whole number that fits a BIGINT, of either sign."""
        value = self._of(name, Number, _WHOLE_NUMBER)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value) or abs(int(value)) >= 2**63:
            self.refuse(name, _WHOLE_NUMBER)
        return int(value)

    def digits(self, name: str) -> int | None:
        """A whole number, which some write as a text."""
        value = self._members.get(name)
        if type(value) is not str:
            return self.whole(name)
        if not _WHOLE.fullmatch(value) or abs(int(value)) >= 2**63:
            self.refuse(name, _WHOLE_NUMBER)
        return int(value)

    def count(self, name: str) -> int | None:
        """A whole number, zero or more."""
        value = self.whole(name)
        if value is not None and value < 0:
            self.refuse(name, N_("A field must not be negative"))
        return value

    def currency(self, name: str) -> str | None:
        """An ISO 4217 code."""
        value = self.line(name, 3)
        try:
            if value is not None:
                decimals(value)
        except BadMoney as error:
            raise self._error(
                N_("A currency cannot be read"), f"{self._path}{name}: {error}"
            ) from error
        return value

    def amount(self, name: str, currency: str) -> Money | None:
        """A plain decimal, written as a text."""
        value = self._text(name)
        return None if value is None else self._money(name, value, currency)

    def figure(self, name: str, currency: str) -> Money | None:
        """A plain decimal, written as a text or as a JSON number."""
        value = self._members.get(name)
        if isinstance(value, Number):
            return self._money(name, str(value), currency)
        return self.amount(name, currency)

    def moment(self, name: str) -> datetime | None:
        """RFC 3339 with its offset, between 1990 and 2100; in UTC."""
        value = self._text(name)
        if value is None:
            return None
        if not _MOMENT.fullmatch(value):
            self.refuse(name, N_("A moment must be written as 2026-09-07T10:00:10+08:00"))
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(name, N_("A day or hour does not exist"))
        if not _EARLIEST <= moment < _LATEST:
            self.refuse(name, N_("A time must lie between 1990 and 2100"))
        return moment

    def refuse(self, name: str, why: str, wanted: object = None) -> NoReturn:
        """Raise because of a member: `why` is a sentence of the catalogue, `wanted` its detail."""
        path = f"{self._path}{name}"
        raise self._error(why, path if wanted is None else f"{path} ({wanted})")

    def _money(self, name: str, value: str, currency: str) -> Money:
        try:
            return Money.of(value, currency)
        except BadMoney as error:
            raise self._error(
                N_("An amount cannot be read"), f"{self._path}{name}: {error}"
            ) from error

    def _text(self, name: str) -> str | None:
        value = self._of(name, str, N_("A field must be a text"))
        if value is not None and any("\ud800" <= c <= "\udfff" for c in value):
            self.refuse(name, N_("A field holds half a character"))
        return value

    def _bounded(self, name: str, value: str, longest: int) -> str:
        if len(value) > longest:
            self.refuse(name, N_("A field has more characters than it may"), longest)
        return value

    def _of(self, name: str, kind: type[T], wanted: str) -> T | None:
        value = self._members.get(name)
        if value is not None and type(value) is not kind:
            self.refuse(name, wanted)
        return value


def parse(body: bytes, error: type[PlatformError]) -> Fields:
    """The one JSON object that `body` is. Raises `error` for anything else; see `loads`."""
    value = loads(body, error)
    if not isinstance(value, dict):
        raise error(N_("The body must be a JSON object."))
    return Fields(value, error)


def loads(body: bytes, error: type[PlatformError]) -> object:
    """The JSON value that `body` is; its numbers are `Number`s. Raises `error` for anything else.

    Stricter than JSON where its readers disagree: no member twice, no NaN, UTF-8 only (a
    leading byte order mark, which Windows editors write, is let pass).
    """
    try:
        value: object = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_members,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as cause:
        raise error(N_("The body is not UTF-8.")) from cause
    except RecursionError as cause:
        raise error(N_("The body is nested too deeply.")) from cause
    except ValueError as cause:
        raise error(N_("The body is not JSON that we can read"), str(cause)[:120]) from cause
    return value


def clean(text: str) -> str:
    """Text that people wrote, without control characters and turns of direction."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or not (_is_control(c) or c in _TURNS))
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands in it twice")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Zl", "Zp")
