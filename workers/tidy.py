"""Ticks that keep house: the pulse by which one sees that the clockwork runs, sweeping, thinning
old reports, drafting what is due to be written, and telling staff of figures that turned bad, are
due or are held."""

import time
from datetime import UTC, datetime

from celery import shared_task

from campaigns import (
    allowances,
    claiming_gifts,
    clockwork,
    contacts,
    drafting,
    mailhooks,
    progress,
    rounds,
    stored,
    thinning,
    throttles,
    unanswered,
    watching,
)
from campaigns.db import db, reading

THIN_SECONDS = 5.0  # of a minute; mailings begin on the same queue


@shared_task(name="workers.tidy.pulse")
def pulse() -> None:
    clockwork.beat(datetime.now(UTC))
    db.session.commit()


@shared_task(name="workers.tidy.sweep")
def sweep() -> None:
    now = datetime.now(UTC)
    throttles.sweep(now)
    mailhooks.sweep(now)
    allowances.sweep(now)
    clockwork.sweep(now)
    claiming_gifts.sweep(now)
    contacts.sweep(now)
    db.session.commit()
    # After claims: who never confirmed one is known no more.
    unanswered.sweep(now)
    db.session.commit()
    while stored.sweep(now):
        db.session.commit()
        time.sleep(stored.BREATH)
    db.session.commit()
    while thinning.forget_failures(now):
        db.session.commit()
        time.sleep(thinning.BREATH)
    db.session.commit()


@shared_task(name="workers.tidy.thin")
def thin() -> None:
    """Thin old reports for as long as a task may take; the next tick goes on."""
    now, until = datetime.now(UTC), time.monotonic() + THIN_SECONDS
    while thinning.sweep(now) and time.monotonic() < until:
        db.session.commit()
        time.sleep(thinning.BREATH)
    db.session.commit()


@shared_task(name="workers.tidy.draft")
def draft() -> None:
    """Mostly there is nothing to draft, and looking for it does not hold up who writes."""
    now = datetime.now(UTC)
    with reading():
        due = drafting.due(now)
        db.session.rollback()
    if due:
        drafting.draft(due, now)
    db.session.commit()


@shared_task(name="workers.tidy.watch")
def watch() -> None:
    """Looking takes a while and mostly finds nothing, so it does not hold up who writes."""
    now = datetime.now(UTC)
    with reading():
        found = progress.many(watching.watched(now), now)
        shown = ((figure.listing, figure.freshness) for one in found for figure in one.listings)
        news = watching.news(shown, {stop.listing.id for stop in rounds.due(now)})
        held = watching.is_held(now)
        db.session.rollback()
    if news:
        watching.tell(news, now)
    if held:
        watching.tell_of_held(now)
    db.session.commit()
