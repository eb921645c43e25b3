"""Ticks of the post: start and end mailings at their hour, and send the letters that are due."""

import os
from datetime import UTC, datetime
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from flask import current_app

from campaigns import addressing, digests, segments, ways
from campaigns.db import db
from campaigns.marks import Mark
from config import settings
from workers.office import Office


@shared_task(name="workers.post.due_mailings")
def due_mailings() -> None:
    """Address what is due, and end what has ended. Any number of these at once are harmless."""
    now = datetime.now(UTC)
    Mark(settings().instance_dir).notice(now)
    for mailing in addressing.due(now):
        addressing.start(mailing, segments.members(mailing.segment, now), now)
    addressing.finish(now)
    db.session.commit()
    digests.write_due(now)
    db.session.commit()


@shared_task(name="workers.post.letters")
def letters() -> None:
    """Send the letters that are due; returns within 20 s. A second tick at once does nothing."""
    office().work()


def office() -> Office:
    """This process's own; a child of a fork opens another."""
    found: Office | None = current_app.extensions.get("post_office")
    if found is None or found.pid != os.getpid():
        given = settings()
        found = Office(ways.out, given.worker_concurrency, Mark(given.instance_dir))
        current_app.extensions["post_office"] = found
        _offices.append(found)
    return found


_offices: list[Office] = []


@worker_shutting_down.connect
def close(**_: Any) -> None:
    """An orderly stop finishes what is in hand and claims no more, so it leaves nothing unknown."""
    for each in _offices:
        each.closing.set()
