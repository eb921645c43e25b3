"""A real Chromium before a real server: the service as donors meet it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from campaigns.app import create_app
from campaigns.db import db
from campaigns.local.environment import free_address
from config import load
from tests.anypage import AnyPage, standing
from tests.browser import scene
from tests.browser.server import serving
from tests.conftest import empty_database, environment

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[..., Page]


@dataclass(frozen=True)
class Service:
    """A running server, and an app on its database to prepare and look."""

    url: str
    app: Flask


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What keys reach does not depend on the language: the judge walks staff's ways in English."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if isinstance(item, pytest.Function) and _locale(item) == "en":
                item.add_marker(pytest.mark.judge)


def _locale(item: pytest.Function) -> object:
    return item.callspec.params.get("locale") if hasattr(item, "callspec") else None


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium. Where there is none tests are skipped, or fail if it is demanded."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        missing = f"NO BROWSER TEST RAN: none of {', '.join(CHROMIUM)} is installed."
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def platform() -> Iterator[AnyPage]:
    """A platform that nobody knows, which the service may ask."""
    with standing() as server:
        yield server


@pytest.fixture(scope="package")
def service(
    dialect: str, tmp_path_factory: pytest.TempPathFactory, platform: AnyPage
) -> Iterator[Service]:
    """The service as a process of its own, with a scene to look at."""
    home, address = tmp_path_factory.mktemp("browser"), free_address()
    with empty_database(dialect, home) as url:
        settings = environment(
            url, home, BASE_URL=f"http://{address}", POLL_ALLOW_PRIVATE=platform.host
        )
        app = create_app(load(settings))
        with app.app_context():
            flask_migrate.upgrade()
            scene.play()
            db.session.remove()
        with serving(address, {**os.environ, **settings}, home / "server.log"):
            yield Service(f"http://{address}", app)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def opened(chromium: Browser, service: Service) -> Iterator[Open]:
    """Opens pages in windows of any size, language and theme, and closes them. What the browser
    complains about (scripts, the content policy, missing files) fails the test."""
    contexts = []
    complaints: list[str] = []

    def open_(path: str, width: int = 1280, **options: Any) -> Page:
        context = chromium.new_context(
            base_url=service.url, viewport={"width": width, "height": 800}, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.extend(_complaint(said, page)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def _complaint(said: ConsoleMessage, page: Page) -> list[str]:
    """An error that the console shows; that the page itself is a 404 is none."""
    of_the_page = said.text.startswith("Failed to load") and said.location["url"] == page.url
    return [said.text] if said.type == "error" and not of_the_page else []
