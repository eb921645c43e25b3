"""Yardstick: the public page of a campaign against a bare Flask answer of the same length.

All on the same server with the same settings, in turns, so that whatever else the machine does
falls on each of them. The promise is 0.8 of the bare answer.
"""

import os
import statistics
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import flask_migrate

from bench import _crowd
from campaigns.app import create_app
from campaigns.db import db
from campaigns.local.environment import free_address
from config import load
from tests.browser import scene
from tests.browser.server import serving
from tests.conftest import environment

PATH = "/c/after-school"
VISITORS = 32
SECONDS = 3.0
ROUNDS = 5
PROMISED = 0.8


def main() -> int:
    """Print answers a second of each, and the ratio; exit code 1 where it is less than promised."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as servers:
        home = Path(directory)
        settings = _filled(home)
        page = free_address()
        servers.enter_context(serving(page, settings, home / "page.log"))
        length = len(urllib.request.urlopen(f"http://{page}{PATH}").read())
        bare, each = free_address(), free_address()
        sized = {**settings, "PAGE_BYTES": str(length)}
        servers.enter_context(serving(bare, sized, home / "bare.log", factory="bench._apps:bare"))
        servers.enter_context(
            serving(each, settings, home / "each.log", factory="bench._apps:rendering")
        )
        rates = _measured({"bare Flask answer": (bare, "/"), "public page": (page, PATH),
                           "page rendered each time": (each, PATH)})  # fmt: skip
    ratio = rates["public page"] / rates["bare Flask answer"]
    print(f"page of {length:,} bytes, {VISITORS} visitors, median of {ROUNDS} rounds")
    for name, rate in rates.items():
        print(f"{name:28}{rate:10,.0f}/s{rate / rates['bare Flask answer']:8.2f}")
    print(f"promised {PROMISED}: {'kept' if ratio >= PROMISED else 'BROKEN'}")
    return int(ratio < PROMISED)


def _filled(home: Path) -> dict[str, str]:
    settings = environment(f"sqlite:///{home}/page.sqlite3", home)
    app = create_app(load(settings))
    with app.app_context():
        flask_migrate.upgrade()
        scene.play()
        db.session.remove()
        db.engine.dispose()
    return {**os.environ, **settings}


def _measured(asked: dict[str, tuple[str, str]]) -> dict[str, float]:
    rounds = [
        {name: _crowd.per_second(*where, VISITORS, SECONDS) for name, where in asked.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(rates[name] for rates in rounds) for name in asked}


if __name__ == "__main__":
    sys.exit(main())
