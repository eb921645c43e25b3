"""Leases: which process lives, and what becomes of the claims of those that do not."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, insert, select, update

from campaigns.db import db
from campaigns.db import insert as upsert
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.pulse import Pulse

# How long a process may be silent before its claims count as those of a dead one.
LEASE = timedelta(seconds=30)
_DIED = "The process that held the letter stopped answering."
_PULSES = cast(Table, Pulse.__table__)


def beat(by: str, now: datetime) -> None:
    """Say that the process lives; with its claims, in one transaction, and every second or two."""
    add = upsert(_PULSES).values(name=by, at=now)
    db.session.execute(
        add.on_conflict_do_update(index_elements=["name"], set_={"at": add.excluded.at})
    )


def bury(now: datetime) -> int:
    """Claims of processes without a pulse become `unknown`; returns how many. May be repeated.

    A pulse from the future is none either: the clock was set back since.
    """
    alive = select(Pulse.name).where(Pulse.at.between(now - LEASE, now + LEASE))
    dead = (
        select(Delivery.id)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.claimed_by.not_in(alive))
        # A process stopped in the middle of recording holds its rows; nobody waits for it.
        .with_for_update(skip_locked=True)
    )
    ids = db.session.scalars(dead).all()
    if ids:
        tried = Delivery.attempts + 1
        _change(Delivery.id.in_(ids), state=DeliveryState.UNKNOWN, attempts=tried)
        lost = {"at": now, "transport": "", "outcome": DeliveryState.UNKNOWN, "answer": _DIED}
        db.session.execute(insert(Attempt), [{"delivery_id": one, **lost} for one in ids])
    return len(ids)


def give_back(by: str, in_hand: Collection[int]) -> None:
    """Queue again what this very process claimed and does not hold: no relay heard of it.

    It happens where a commit succeeded and the answer to it was lost.
    """
    orphaned = (Delivery.claimed_by == by, Delivery.id.not_in(list(in_hand)))
    _change(*orphaned, state=DeliveryState.QUEUED)


def _change(*which: ColumnElement[bool], **values: Any) -> None:
    db.session.execute(
        update(Delivery)
        .where(*which)
        .values(claimed_by=None, **values)
        .execution_options(synchronize_session=False)
    )
