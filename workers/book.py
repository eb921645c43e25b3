"""The tick that books notices which could not be booked when they came."""

import logging
from datetime import UTC, datetime
from time import monotonic

from celery import shared_task

from campaigns import intake, notices
from campaigns.db import db, is_outage
from campaigns.model.notice import Notice
from campaigns.platforms.base import detailed

log = logging.getLogger(__name__)
LONGEST = 20  # seconds; the next tick goes on


@shared_task(name="workers.book.waiting_notices")
def waiting_notices() -> None:
    """Book every waiting notice that is due, each in a transaction of its own.

    Two at once take different ones: a notice is locked while it is booked.
    """
    until = monotonic() + LONGEST
    while monotonic() < until and book_one(datetime.now(UTC)):
        continue


def book_one(now: datetime) -> bool:
    """Book the notice that waited longest; False if none is due."""
    notice = notices.due(now)
    if notice is not None:
        _book(notice, now)
    db.session.commit()
    return notice is not None


def _book(notice: Notice, now: datetime) -> None:
    try:
        with db.session.begin_nested():
            intake.again(notice, now)
    except Exception as error:  # noqa: BLE001 - one notice that fails must not stop the others
        if is_outage(error):
            raise  # It would cost each of them a try.
        log.error("Notice %d was not booked: %s.", notice.id, type(error).__name__)
        notices.postpone(notice.id, detailed(notices.OURS, type(error).__name__), now)
