"""Sends letters with django-post_office from a PostgreSQL database of its own, queued in bulk.

`python -m bench._post_office DATABASE` makes its tables. With RELAY NUMBER STORY besides it says
that it is ready, begins at a line on standard input, queues all and sends until nothing is left.
"""

import logging
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from sqlalchemy import make_url

PROCESSES, THREADS = 2, 10  # twenty connections, as many as ours
A_QUERY = 1000


def main(database: str, relay: str = "", number: str = "0", story: str = "") -> None:
    _set_up(database, relay)
    if not relay:
        call_command("migrate", verbosity=0)
        return
    mail = import_module("post_office.mail")  # It wants Django to be set up before.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for first in range(0, int(number), A_QUERY):
        end = min(first + A_QUERY, int(number))
        mail.send_many([_letter(one, story) for one in range(first, end)])
    with tempfile.TemporaryDirectory() as home:
        lock = str(Path(home) / "lock")
        mail.send_queued_mail_until_done(lock, processes=PROCESSES)


def _set_up(database: str, relay: str) -> None:
    """All letters as one batch; only failures are logged."""
    where = make_url(database)
    host, _, port = relay.removeprefix("smtp://").partition(":")
    settings.configure(
        SECRET_KEY="only for a yardstick",
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": where.database,
                "USER": where.username,
                "HOST": where.query["host"],
            }
        },
        EMAIL_HOST=host,
        EMAIL_PORT=int(port or 0),
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        POST_OFFICE={
            "BATCH_SIZE": 1_000_000,
            "BATCH_DELIVERY_TIMEOUT": 3600,
            "THREADS_PER_PROCESS": THREADS,
            "LOG_LEVEL": 1,
        },
    )
    django.setup()
    logging.disable(logging.INFO)


def _letter(number: int, story: str) -> dict[str, object]:
    paragraphs = "".join(f'<p style="margin:0 0 1em">{line}</p>' for line in story.split("\n\n"))
    link = f"https://example.org/unsubscribe/{number}"
    return {
        "sender": "Huiyin <updates@example.org>",
        "recipients": [f"Ada <donor-{number}@example.org>"],
        "subject": "Desks",
        "message": f"Dear Ada,\n\n{story}\n{link}",
        "html_message": f'<h1>Dear Ada,</h1>{paragraphs * 3}<a href="{link}">x</a>',
        "headers": {"List-Unsubscribe": f"<{link}>"},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
