"""The tick that reads, commits, undoes and discards imports, a batch at a time."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic

from celery import shared_task
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from campaigns import batches, committing, discarding, staging, undoing
from campaigns.batches import Clock, Overtaken, Pace
from campaigns.db import db
from campaigns.model.imported import Import, ImportState

log = logging.getLogger(__name__)
LONGEST = 15  # seconds; the next tick goes on
# Between two batches, for whoever waits to write on SQLite, which has no queue.
BREATH = 0.02

Work = Callable[[int, Pace, Clock], Iterator[None]]
WORK: dict[ImportState, Work] = {
    ImportState.READING: staging.stage,
    ImportState.COMMITTING: committing.book,
    ImportState.UNDOING: undoing.take_back,
    ImportState.DISCARDING: discarding.clear,
}


@shared_task(name="workers.imports.due_imports")
def due_imports() -> None:
    """Work on imports, the oldest first. Two workers at once take different ones."""
    until = monotonic() + LONGEST
    while monotonic() < until:
        import_id = batches.take(_now())
        db.session.commit()
        if import_id is None:
            return
        work_on(import_id, until)


def work_on(import_id: int, until: float | None = None) -> None:
    """Do an import's work until it waits for a person; with `until`, or for the next tick.

    At least one batch is done, so that it always comes to an end.
    """
    try:
        while (work := _waiting(import_id)) is not None and _do(work, import_id, until):
            continue
        batches.release(import_id)
        db.session.commit()
    except Overtaken:
        db.session.rollback()
    except (DBAPIError, OSError) as error:
        # The database or the disk is away or full.
        db.session.rollback()
        if until is None:
            raise
        log.error("Import %d stopped: %s. It goes on by itself.", import_id, type(error).__name__)


def _waiting(import_id: int) -> Work | None:
    """What there is to do for an import in its present state."""
    state = db.session.scalar(select(Import.state).where(Import.id == import_id))
    db.session.rollback()
    return WORK.get(state) if state is not None else None


def _do(work: Work, import_id: int, until: float | None) -> bool:
    """Whether there was time enough to end it."""
    pace = Pace()
    for _ in work(import_id, pace, _now):
        db.session.commit()
        pace.end()
        time.sleep(BREATH)
        if until is not None and monotonic() > until:
            return False
    return True


def _now() -> datetime:
    return datetime.now(UTC)
