"""Festivals: days in which staff have every listing asked more often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, true

from campaigns import audit, pace
from campaigns.db import db
from campaigns.model.festival import Festival
from campaigns.model.staff import Staff

SHORTEST, LONGEST = 10, 86400  # seconds


class Refused(Exception):
    """A festival that cannot be. Its text is a sentence for the person who tried."""


class NoName(Refused):
    """It would be told from others by nothing."""


class SpanReversed(Refused):
    """It would end before it begins."""


class Past(Refused):
    """It would be over already."""


class BadPeriod(Refused):
    """The period is shorter or longer than days of a festival are asked by."""


@dataclass(frozen=True)
class Plan:
    """Everything of a festival that a person decides."""

    name: str
    starts_at: datetime
    ends_at: datetime
    period_seconds: int


def all_of_them() -> Sequence[Festival]:
    """The latest first."""
    return db.session.scalars(select(Festival).order_by(Festival.starts_at.desc())).all()


def create(plan: Plan, now: datetime, by: Staff) -> Festival:
    """Raises what `Refused` stands for. The second time makes a second one, which changes nothing
    for the listings: the shortest period counts."""
    _check(plan, now)
    festival = Festival(**vars(plan))
    db.session.add(festival)
    db.session.flush()
    changes = {name: (None, value) for name, value in vars(plan).items()}
    audit.record("create festival", festival, now, by=by, changes=_named(changes))
    pace.quicken(true(), now)
    return festival


def change(festival: Festival, plan: Plan, now: datetime, by: Staff) -> None:
    """Raises what `Refused` stands for. The second time does nothing."""
    _check(plan, now)
    changes = {
        one.name: (getattr(festival, one.name), getattr(plan, one.name))
        for one in fields(Plan)
        if getattr(festival, one.name) != getattr(plan, one.name)
    }
    if not changes:
        return
    for name, (_before, after) in changes.items():
        setattr(festival, name, after)
    audit.record("change festival", festival, now, by=by, changes=_named(changes))
    pace.quicken(true(), now)


def delete(festival: Festival, now: datetime, by: Staff) -> None:
    """From now on listings are asked as they were without it; once, also where it was near."""
    audit.record("delete festival", festival, now, by=by, changes={"title": (festival.name, None)})
    db.session.delete(festival)
    db.session.flush()


def _named(changes: Mapping[str, tuple[object, object]]) -> dict[str, tuple[object, object]]:
    """A festival's name is nobody's; the audit keeps what is called "name" of people to itself."""
    return {"title" if name == "name" else name: pair for name, pair in changes.items()}


def _check(plan: Plan, now: datetime) -> None:
    if not plan.name or len(plan.name) > 200:
        raise NoName(_("Write a name, in at most 200 characters."))
    if plan.ends_at <= plan.starts_at:
        raise SpanReversed(_("It would end before it begins."))
    if plan.ends_at <= now:
        raise Past(_("These days are over already."))
    if not SHORTEST <= plan.period_seconds <= LONGEST:
        raise BadPeriod(_("Between 10 seconds and a day."))
