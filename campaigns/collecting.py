"""Collecting: whose turn it is to read the mailbox that letters come back to, and when again."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, or_, update

from campaigns.db import db, insert
from campaigns.model.mailbox import MailboxReading

# A reading ends long before its lease does; one whose process died is taken over after it.
LEASE = timedelta(seconds=90)
EVERY = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)


def take_turn(name: str, now: datetime) -> bool:
    """Whether the mailbox is due and nobody reads it; then it is ours for `LEASE`.

    Of several at once one is told yes. Commit before reading. A lease or a turn that is further
    off than any we give is of a clock that was ahead, and counts as over.
    """
    row = insert(cast(Table, MailboxReading.__table__))
    db.session.execute(row.values(name=name, next_at=now, failures=0).on_conflict_do_nothing())
    due = or_(MailboxReading.next_at <= now, MailboxReading.next_at > now + LONGEST_REST)
    until = MailboxReading.leased_until
    free = or_(until.is_(None), until <= now, until > now + LEASE)
    taken = db.session.scalar(
        update(MailboxReading)
        .where(MailboxReading.name == name, due, free)
        .values(leased_until=now + LEASE)
        .returning(MailboxReading.name)
        .execution_options(synchronize_session=False)
    )
    return taken is not None


def was_read(name: str, now: datetime, *, more: bool) -> None:
    """The mailbox was read; where there is more in it the next turn comes at once."""
    _ended(name, next_at=now if more else now + EVERY, read_at=now, failures=0, failed_for=None)


def failed(name: str, reason: str, now: datetime) -> None:
    """It could not be read: a minute's rest, then twice as long each time, up to an hour."""
    row = db.session.get_one(MailboxReading, name, populate_existing=True)
    rest = min(EVERY * 2 ** min(row.failures, 10), LONGEST_REST)
    _ended(name, next_at=now + rest, failures=row.failures + 1, failed_for=reason[:200])


def _ended(name: str, **values: object) -> None:
    db.session.execute(
        update(MailboxReading)
        .where(MailboxReading.name == name)
        .values(leased_until=None, **values)
        .execution_options(synchronize_session=False)
    )
