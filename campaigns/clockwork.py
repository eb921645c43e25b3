"""The clockwork's pulse: when beat, broker and a worker last did their part together."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table

from campaigns.db import db, insert
from campaigns.model.pulse import Pulse

BEAT = "beat"
PULSES = cast(Table, Pulse.__table__)


def beat(now: datetime) -> None:
    """Note that they did at `now`. Two beats are as good as one."""
    pulse = insert(PULSES).values(name=BEAT, at=now)
    db.session.execute(
        pulse.on_conflict_do_update(index_elements=["name"], set_={"at": pulse.excluded.at})
    )
