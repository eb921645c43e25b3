"""The celery app of workers and beat (`-A workers.main:celery`), on an app that has no doors in."""

import sys

from campaigns.rooms import create_rooms
from config import BadSetting, load
from workers.app import create_celery

try:
    settings = load()
except BadSetting as error:
    sys.exit(f"Huiyin cannot start: {error}")

app = create_rooms(settings)
celery = create_celery(app)
