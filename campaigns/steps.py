"""Steps: an import goes from one state to the next, once, and does what its state allows."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import update

from campaigns.db import db
from campaigns.model.imported import Import, ImportState


class NotOpen(Exception):
    """The import is not under review, so this cannot be done to it now."""


class NotCommitted(Exception):
    """Only an import that is committed can be undone, or its waiting rows assigned."""


def demand(one: Import, state: ImportState) -> None:
    """Raises `NotOpen` for an import in another state."""
    if one.state is not state:
        raise NotOpen(f"The import is {one.state}.")


def move(
    one: Import,
    states: Collection[ImportState],
    state: ImportState,
    now: datetime,
    **more: Any,
) -> None:
    """Let it begin a state, from its first row and for whichever worker comes next.

    One conditional statement, so that of two at once one raises `NotOpen`, as the second time does.
    """
    begin = {"position": 0, "leased_until": None, "moved_at": now}
    moved = db.session.scalar(
        update(Import)
        .where(Import.id == one.id, Import.state.in_(states))
        .values(state=state, **begin, **more)
        .returning(Import.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(one)
    if moved is None:
        raise NotOpen(f"The import is {one.state}.")
