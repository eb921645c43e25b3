"""The Celery app and its schedule: ticks that take due rows, and carry nothing but ids."""

import importlib
from collections.abc import Collection
from typing import Any

from celery import Celery, Task
from flask import Flask, has_app_context

# Each kind of work has a queue and a worker slot of its own, so that none starves another.
QUEUES = ("poll", "post", "book", "import", "tidy")

# task → (seconds between ticks, queue). A tick expires when the next one is due.
TICKS: dict[str, tuple[float, str]] = {
    "workers.book.waiting_notices": (5, "book"),
    "workers.imports.due_imports": (2, "import"),
    "workers.mailbox.bounces": (20, "tidy"),
    "workers.poll.due_listings": (5, "poll"),
    "workers.post.letters": (2, "post"),
    # Beside the letters, which keep their queue busy for as long as there are any.
    "workers.post.due_mailings": (2, "tidy"),
    "workers.tidy.draft": (60, "tidy"),
    "workers.tidy.pulse": (5, "tidy"),
    "workers.tidy.sweep": (60, "tidy"),
    "workers.tidy.thin": (60, "tidy"),
    "workers.tidy.watch": (60, "tidy"),
}


def modules(queues: Collection[str] = QUEUES) -> list[str]:
    """Where the tasks of some queues are."""
    return sorted(
        {name.rpartition(".")[0] for name, (_, queue) in TICKS.items() if queue in queues}
    )


def load(queues: Collection[str]) -> None:
    """Make the tasks of some queues known; those of others take memory that nobody uses."""
    for module in modules(queues):
        importlib.import_module(module)


def create_celery(app: Flask, include: Collection[str] = ()) -> Celery:
    """The Celery app of a Flask app. Connects to nothing. Workers load the modules `include`."""
    settings = app.extensions["settings"]
    celery = Celery(app.name, task_cls=_in_context(app), include=list(include))
    celery.conf.update(
        broker_url=settings.broker_url or "memory://",
        task_ignore_result=True,
        task_create_missing_queues=True,
        task_default_queue="tidy",
        task_routes={name: {"queue": queue} for name, (_, queue) in TICKS.items()},
        task_time_limit=60,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(settings.broker_url or ""),
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        beat_schedule={
            name: {
                "task": name,
                "schedule": seconds,
                "options": {"expires": seconds, "queue": queue, "ignore_result": True},
            }
            for name, (seconds, queue) in TICKS.items()
        },
        beat_max_loop_interval=1,
    )
    celery.set_default()
    app.extensions["celery"] = celery
    return celery


def _transport_options(broker_url: str) -> dict[str, Any]:
    if broker_url.startswith(("redis", "rediss", "unix")):
        return {
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "retry_on_timeout": False,
            "visibility_timeout": 60,
            "unacked_restore_interval": 5,
        }
    return {}


def _in_context(app: Flask) -> type[Task]:
    class InContext(Task):  # type: ignore[misc]
        """A task that runs inside an app context, its own unless a test pushed one."""

        abstract = True

        def __call__(self, *args: object, **kwargs: object) -> Any:
            if has_app_context():
                return self.run(*args, **kwargs)
            with app.app_context():
                return self.run(*args, **kwargs)

    return InContext
