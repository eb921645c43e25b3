"""Tidying: the clockwork's pulse, and rows that have served their time."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from campaigns.db import db
from campaigns.model.pulse import Pulse
from campaigns.model.throttle import Throttle

BEAT = "beat"
# Far longer than any throttle's window; a window that is over counts for nothing.
THROTTLES_KEPT = timedelta(days=2)
PULSES_KEPT = timedelta(days=30)


def beat(now: datetime) -> None:
    """Note that beat, broker and a worker did their part at `now`. Two beats are as good as one."""
    insert = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert
    pulse = insert(Pulse).values(name=BEAT, at=now)
    db.session.execute(
        pulse.on_conflict_do_update(index_elements=["name"], set_={"at": pulse.excluded.at})
    )


def sweep(now: datetime) -> None:
    """Delete throttles and pulses that nothing asks for any more. The second time does nothing."""
    db.session.execute(delete(Throttle).where(Throttle.since < now - THROTTLES_KEPT))
    db.session.execute(delete(Pulse).where(Pulse.at < now - PULSES_KEPT))
