"""Allowances: how many letters a rolling limit still allows, all workers counted together.

A limit holds for any stretch of its length, not for the calendar's: whatever was claimed within
the last minute counts. Time is cut into slices of a twentieth of that, and a slice counts as long
as any of it lies within; so a limit is never passed, and kept to within a twentieth.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, func, select

from campaigns.db import db
from campaigns.db import insert as upsert
from campaigns.model.transport import PERIODS, Draw

Limits = Mapping[str, int]
SLICES = 20
UNLIMITED = 1_000_000
_DRAWS = cast(Table, Draw.__table__)


def rooms(limited: Mapping[str, Limits], now: datetime) -> dict[str, int]:
    """How many letters each scope may still get. Exact if the caller holds what stands for it."""
    found = {scope: _least(limits, {}) for scope, limits in limited.items()}
    scopes = [scope for scope, limits in limited.items() if limits]
    if not scopes:
        return found
    counted: dict[str, dict[str, int]] = {}
    rows = select(Draw.scope, Draw.period, func.sum(Draw.drawn).label("drawn"))
    rows = rows.where(Draw.scope.in_(scopes), Draw.until > now).group_by(Draw.scope, Draw.period)
    for row in db.session.execute(rows):
        counted.setdefault(row.scope, {})[row.period] = row.drawn
    return found | {scope: _least(limited[scope], counted.get(scope, {})) for scope in scopes}


def draw(drawn: Mapping[str, int], limited: Mapping[str, Limits], now: datetime) -> None:
    """Count so many letters of each scope. The second time counts them again."""
    rows = [
        _row(scope, period, number, now)
        for scope, number in drawn.items()
        for period in limited[scope]
        if number
    ]
    if not rows:
        return
    add = upsert(_DRAWS)
    more = {"drawn": _DRAWS.c.drawn + add.excluded.drawn}
    keys = ["scope", "period", "slot"]
    db.session.execute(add.on_conflict_do_update(index_elements=keys, set_=more), rows)


def interval(limits: Limits) -> timedelta:
    """How far apart letters are that keep to the limits for long."""
    return max(
        (timedelta(seconds=PERIODS[period] / most) for period, most in limits.items()),
        default=timedelta(0),
    )


def sweep(now: datetime) -> None:
    """Forget what counts no more."""
    db.session.execute(delete(Draw).where(Draw.until <= now))


def _least(limits: Limits, counted: Mapping[str, int]) -> int:
    left = (most - counted.get(period, 0) for period, most in limits.items())
    return max(0, min(left, default=UNLIMITED))


def _row(scope: str, period: str, number: int, now: datetime) -> dict[str, object]:
    length = PERIODS[period]
    slot = int(now.timestamp() * SLICES / length)
    ends = datetime.fromtimestamp((slot + 1) * length / SLICES, UTC)
    until = ends + timedelta(seconds=length)
    return {"scope": scope, "period": period, "slot": slot, "drawn": number, "until": until}
