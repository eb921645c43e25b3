"""The celery app of workers and beat (`-A workers.main:celery`), on an app that has no doors in."""

import sys
from typing import Any

from celery.signals import celeryd_after_setup

from campaigns.rooms import create_rooms
from config import BadSetting, load
from workers.app import create_celery
from workers.app import load as load_tasks

try:
    settings = load()
except BadSetting as error:
    sys.exit(f"Huiyin cannot start: {error}")

app = create_rooms(settings)
celery = create_celery(app)


@celeryd_after_setup.connect
def of_its_queues(instance: Any, **_: Any) -> None:
    """A worker that begins loads the tasks of the queues that it was told to take (`-Q`)."""
    load_tasks(instance.app.amqp.queues.consume_from)
