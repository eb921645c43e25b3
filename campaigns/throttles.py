"""Throttles: how often somebody may try, kept in rows so that every process counts together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from campaigns.crypto import derived
from campaigns.db import db
from campaigns.model.throttle import Throttle
from config import settings

# After this long without a try, somebody starts afresh.
QUIET = timedelta(hours=1)
KEPT = timedelta(days=1)
NO_WAIT = timedelta(0)


@dataclass(frozen=True)
class Pace:
    """How tries are slowed: `free` at any speed, then twice the wait each time, up to `longest`."""

    free: int
    longest: timedelta

    def wait(self, tries: int) -> timedelta:
        """How long after the last of `tries` the next one may come."""
        if tries < self.free:
            return NO_WAIT
        return min(timedelta(seconds=2.0 ** min(tries - self.free, 30)), self.longest)


def allow(subject: str, limit: int, per: timedelta, now: datetime) -> bool:
    """Count one try of `subject`, and say whether it is within `limit` tries `per` window.

    Each call counts, refused ones too. A window begins with its first try.
    """
    over = Throttle.since <= now - per
    statement = _insert().values(subject=hashed(subject), since=now, tries=1)
    counted = db.session.scalar(
        statement.on_conflict_do_update(
            index_elements=["subject"],
            set_={
                "tries": case((over, 1), else_=Throttle.tries + 1),
                "since": case((over, now), else_=Throttle.since),
            },
        ).returning(Throttle.tries),
        execution_options={"populate_existing": True},
    )
    return counted is not None and counted <= limit


def turn(subject: str, pace: Pace, now: datetime) -> timedelta:
    """Count one try of `subject` and return zero; or count nothing and say how long to wait.

    Commit before the try itself, so that a hundred at once are a hundred tries.
    """
    row = _row(subject, now)
    if now - row.since > QUIET:
        row.tries = 0
    left = row.since + pace.wait(row.tries) - now
    if row.tries and left > NO_WAIT:
        return left
    row.tries += 1
    row.since = now
    return NO_WAIT


def give_back(subject: str) -> None:
    """Uncount one try that turned out to be rightful."""
    db.session.execute(
        update(Throttle)
        .where(Throttle.subject == hashed(subject), Throttle.tries > 0)
        .values(tries=Throttle.tries - 1)
    )


def forget(subject: str) -> None:
    """Start afresh with `subject`."""
    db.session.execute(delete(Throttle).where(Throttle.subject == hashed(subject)))


def sweep(now: datetime) -> None:
    """Drop rows that slow nobody any more."""
    db.session.execute(delete(Throttle).where(Throttle.since < now - KEPT))


def hashed(subject: str) -> str:
    """What is kept of a subject: nobody reads an address or an IP out of this table."""
    return derived(settings().address_pepper, "throttle", subject, 64)


def _row(subject: str, now: datetime) -> Throttle:
    """The subject's row, locked until the transaction ends; a new one has no tries."""
    key = hashed(subject)
    db.session.execute(_insert().values(subject=key, since=now, tries=0).on_conflict_do_nothing())
    return db.session.scalars(
        select(Throttle)
        .where(Throttle.subject == key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _insert() -> SqliteInsert | PostgresInsert:
    if db.engine.dialect.name == "sqlite":
        return sqlite.insert(Throttle)
    return postgresql.insert(Throttle)
