"""Segments: a definition of whom a mailing goes to, and those that are kept under a name."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment

EVERYONE = {"everyone": True}


class UnknownSegment(ValueError):
    """The definition is of no kind that we know; the message shows its keys."""


class Segment(Base):
    """A definition under a name. Mailings keep a copy of the definition, not the name."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __table_args__ = (CheckConstraint("name <> ''", name="named"),)


class Role(StrEnum):
    """gave: whose gifts stand. follows: who agreed to letters and has no gift that stands."""

    GAVE = "gave"
    FOLLOWS = "follows"


@dataclass(frozen=True)
class Conditions:
    """What people may be chosen by; what is empty asks nothing. Bounds belong to their range.

    `campaigns` with `platforms` and `size` (of a single gift) say which gifts are meant; `count`,
    `total`, `first`, `last` and `lapsed` (no gift in so many days) are about those. Amounts are
    minor units of `currency`, days the organisation's. `mailings` are those a letter of which was
    received, or may have been.
    """

    campaigns: tuple[int, ...] = ()
    role: Role | None = None
    platforms: tuple[str, ...] = ()
    currency: str | None = None
    size: tuple[int | None, int | None] = (None, None)
    count: tuple[int | None, int | None] = (None, None)
    total: tuple[int | None, int | None] = (None, None)
    first: tuple[date | None, date | None] = (None, None)
    last: tuple[date | None, date | None] = (None, None)
    lapsed: int | None = None
    languages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    mailings: tuple[int, ...] = ()

    @property
    def about_gifts(self) -> bool:
        """Whether only somebody who gave can be meant."""
        ranges = (self.size, self.count, self.total, self.first, self.last)
        bounded = any(bound is not None for range in ranges for bound in range)
        return bool(self.platforms) or bounded or self.lapsed is not None


@dataclass(frozen=True)
class Definition:
    """Those of whom everything in `include` is true, less those of whom anything in `exclude` is.

    The conditions about gifts are one thing together.
    """

    include: Conditions = Conditions()
    exclude: Conditions = Conditions()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Definition":
        """The definition as a row holds it. Raises `UnknownSegment`.

        `{"everyone": true}` is all, `{"campaign": id}` who gave to it or follows it.
        """
        if stored == EVERYONE:
            return cls()
        if set(stored) == {"campaign"} and type(stored["campaign"]) is int:
            return cls(Conditions(campaigns=(stored["campaign"],)))
        if set(stored) != {"include", "exclude"}:
            raise UnknownSegment(f"No segment is defined by {sorted(stored)}.")
        return cls(*(_conditions(stored[part]) for part in ("include", "exclude")))

    def stored(self) -> dict[str, Any]:
        """As a row holds it: empty conditions left out."""
        if self == Definition():
            return dict(EVERYONE)
        return {"include": _stored(self.include), "exclude": _stored(self.exclude)}


_EMPTY = Conditions()
_DAYS = ("first", "last")


def _stored(conditions: Conditions) -> dict[str, Any]:
    said = {name: value for name, value in asdict(conditions).items() if value != _default(name)}
    return {name: _plain(value) for name, value in said.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _conditions(stored: Mapping[str, Any]) -> Conditions:
    known = {field.name for field in fields(Conditions)}
    if not isinstance(stored, Mapping) or not set(stored) <= known:
        raise UnknownSegment(f"No condition is among {sorted(stored)}.")
    try:
        return Conditions(**{name: _read(name, value) for name, value in stored.items()})
    except (TypeError, ValueError) as error:
        raise UnknownSegment(f"A condition among {sorted(stored)} makes no sense.") from error


def _read(name: str, value: Any) -> Any:
    """Raises `TypeError` or `ValueError` for what no condition of this name can be."""
    if name == "role":
        return Role(value)
    if name in _DAYS:
        return _bounds(value, date.fromisoformat)
    if name in ("count", "size", "total"):
        return _bounds(value, _whole)
    if name in ("campaigns", "mailings"):
        return tuple(map(_whole, _listed(value)))
    if name == "lapsed":
        return _whole(value)
    return _text(value) if name == "currency" else tuple(map(_text, _listed(value)))


def _bounds(value: Any, read: Callable[[Any], Any]) -> tuple[Any, Any]:
    start, end = (None if bound is None else read(bound) for bound in _listed(value))
    return start, end


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _default(name: str) -> Any:
    return getattr(_EMPTY, name)
