"""The newest claim, noted outside the database: an older copy put in its place is noticed.

docs/decisions/0050-backups.md tells what this holds for several machines.
"""

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, insert, select

from campaigns import standstill
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.timeline import Timeline, TimelineCause

log = logging.getLogger(__name__)

NAME = "newest-claim"
# Written over in place: one sector, so that a crash leaves the old mark or the new one.
_LENGTH = 256
_TIMELINES = cast(Table, Timeline.__table__)


class Mark:
    """The mark of the processes that share the instance directory `home`; the last to claim wins.

    Where it is missing or unreadable, or belongs to another history, nothing is known, and nothing
    stops: a first start and a new database are as good as any.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / NAME
        self._timeline = ""

    def notice(self, now: datetime) -> bool:
        """Whether the database is older than the mark; then everything is brought to a standstill.

        That begins another timeline, so the second time, also of another machine, finds nothing.
        """
        self._timeline = _timeline(now)
        mark = self._read()
        if mark is None or mark["timeline"] != self._timeline or _knows(mark):
            return False
        log.error("The database is older than letters that have left: everything stands still.")
        standstill.stop(db.session.connection(), TimelineCause.PUT_BACK, None, now)
        db.session.expire_all()
        return True

    def keep(self, delivery_id: int, claimed_at: datetime) -> None:
        """Note a committed claim before its letter leaves. A full disk stops no letter."""
        mark = {"timeline": self._timeline, "delivery": delivery_id, "at": claimed_at.isoformat()}
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(file, json.dumps(mark).encode().ljust(_LENGTH), 0)
                os.fdatasync(file)
            finally:
                os.close(file)
        except OSError as error:
            log.warning("The newest claim cannot be noted in %s: %s", self._path, error.strerror)

    def _read(self) -> dict[str, Any] | None:
        try:
            mark: dict[str, Any] = json.loads(self._path.read_bytes())
            return mark | {"at": datetime.fromisoformat(mark["at"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _timeline(now: datetime) -> str:
    """The name of the database's history; one that has none yet begins it."""
    newest = select(Timeline.name).order_by(Timeline.id.desc()).limit(1)
    if name := db.session.scalar(newest):
        return name
    name = new_token()
    new = {"name": name, "cause": TimelineCause.NEW, "began_at": now, "letters": 0, "mailings": 0}
    db.session.execute(insert(_TIMELINES).values(new))
    return name


def _knows(mark: dict[str, Any]) -> bool:
    """Whether the database has this claim, or one of the same letter that came after it."""
    claimed = select(Delivery.claimed_at).where(Delivery.id == mark["delivery"])
    at = db.session.scalar(claimed)
    return at is not None and at >= mark["at"]
