"""The app, its commands and the celery app, put together (`wsgi:app`, `-A wsgi:celery`)."""

import sys

from campaigns import cli
from campaigns.app import create_app
from campaigns.local import demo
from config import BadSetting, load
from workers.app import create_celery

try:
    settings = load()
except BadSetting as error:
    sys.exit(f"Huiyin cannot start: {error}")

app = create_app(settings)
celery = create_celery(app)
cli.init_app(app)
app.cli.add_command(demo.command)
