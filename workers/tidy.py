"""Ticks that keep house: the pulse by which one sees that the clockwork runs, and sweeping."""

import time
from datetime import UTC, datetime

from celery import shared_task

from campaigns import clockwork, stored, throttles
from campaigns.db import db


@shared_task(name="workers.tidy.pulse")
def pulse() -> None:
    clockwork.beat(datetime.now(UTC))
    db.session.commit()


@shared_task(name="workers.tidy.sweep")
def sweep() -> None:
    now = datetime.now(UTC)
    throttles.sweep(now)
    clockwork.sweep(now)
    db.session.commit()
    while stored.sweep(now):
        db.session.commit()
        time.sleep(stored.BREATH)
    db.session.commit()
