"""The app and its commands, put together (`wsgi:app`)."""

import sys

from campaigns import cli
from campaigns.app import create_app
from campaigns.local import demo
from config import BadSetting, load
from workers.app import create_celery, modules

try:
    settings = load()
except BadSetting as error:
    sys.exit(f"Huiyin cannot start: {error}")

app = create_app(settings)
# Units of an earlier release start their workers with it; `workers.main` takes less.
celery = create_celery(app, modules())
cli.init_app(app)
app.cli.add_command(demo.command)
