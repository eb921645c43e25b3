"""What the public page is measured against: a bare answer, and the page rendered each time."""

import os
from collections.abc import Callable

from flask import Flask

from campaigns.app import create_app
from campaigns.web.recent import Flights, Page
from config import load


class Alone(Flights):
    """Shares no rendering: Jinja and SQL for every visitor."""

    def share(self, path: str, render: Callable[[], Page]) -> Page:
        return render()


def bare() -> Flask:
    """One view that returns as many bytes as the public page has."""
    app = Flask("bare")
    body = b"x" * int(os.environ["PAGE_BYTES"])

    @app.get("/")
    def page() -> bytes:
        return body

    return app


def rendering() -> Flask:
    """The service without its kept pages."""
    app = create_app(load())
    app.extensions["recent"].seconds = 0
    app.extensions["flights"] = Alone()
    return app
