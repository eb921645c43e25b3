"""The tick that reads the mailbox which letters come back to."""

import logging
from datetime import UTC, datetime

from celery import shared_task

from campaigns import collecting, returns
from campaigns.db import db
from campaigns.mail.mailbox import Mailbox, Place, Unreadable, opened
from config import settings

log = logging.getLogger(__name__)
# Other ticks of the queue wait meanwhile.
SECONDS, MOST = 10.0, 200


@shared_task(name="workers.mailbox.bounces")
def bounces() -> None:
    """Take what is in the mailbox, if it is due; a second tick at once does nothing.

    A message is removed only after what it says is committed: a process that dies in between
    reads it again, which counts nothing twice.
    """
    url = settings().bounce_mailbox_url
    if url is None:
        return
    place = Place.parse(url)
    ours = collecting.take_turn(place.name, datetime.now(UTC))
    db.session.commit()
    if ours:
        _read(place)


def _read(place: Place) -> None:
    try:
        with opened(place, SECONDS) as box:
            more = _empty(box)
    except Unreadable as error:
        log.warning("The mailbox was not read. %s", error)
        db.session.rollback()
        collecting.failed(place.name, str(error), datetime.now(UTC))
    else:
        collecting.was_read(place.name, datetime.now(UTC), more=more)
    db.session.commit()


def _empty(box: Mailbox) -> bool:
    """Take every message, one by one; whether there may be more."""
    names = box.waiting(MOST)
    for name in names:
        message = box.fetch(name)
        verdict = returns.take(message, "mailbox", datetime.now(UTC))
        db.session.commit()
        box.settle(name, ours=verdict not in returns.STRAY)
    return len(names) == MOST
