"""The clockwork's pulse: when beat, broker and a worker last did their part together."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete

from campaigns.db import db, insert
from campaigns.model.pulse import Pulse

BEAT = "beat"
# Each process that posts has a pulse of its own, under a name that never comes again.
KEPT = timedelta(days=1)
PULSES = cast(Table, Pulse.__table__)


def beat(now: datetime) -> None:
    """Note that they did at `now`. Two beats are as good as one."""
    pulse = insert(PULSES).values(name=BEAT, at=now)
    db.session.execute(
        pulse.on_conflict_do_update(index_elements=["name"], set_={"at": pulse.excluded.at})
    )


def sweep(now: datetime) -> None:
    """Delete the pulses of processes that are long gone. The second time does nothing."""
    db.session.execute(delete(Pulse).where(Pulse.at < now - KEPT))
