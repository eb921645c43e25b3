"""Ticks that keep house: the pulse by which one sees that the clockwork runs, and sweeping."""

from datetime import UTC, datetime

from celery import shared_task

from campaigns import tidying
from campaigns.db import db


@shared_task(name="workers.tidy.pulse")
def pulse() -> None:
    tidying.beat(datetime.now(UTC))
    db.session.commit()


@shared_task(name="workers.tidy.sweep")
def sweep() -> None:
    tidying.sweep(datetime.now(UTC))
    db.session.commit()
