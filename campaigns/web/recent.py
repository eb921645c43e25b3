"""Pages rendered a moment ago: a crowd costs one rendering, and nobody sees an old page.

A page is kept for 2 s in each process and 3 s by browsers and proxies, so it is never older than
5 s (design §12). Whoever comes while a page is being rendered waits for that rendering.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, ServiceUnavailable

SECONDS = 2.0
CACHING = "public, max-age=3"
# More pages than are read in two seconds; beyond it those that are over are forgotten.
CAPACITY = 512
LONGEST_RENDERING = 20  # seconds


@dataclass(frozen=True, slots=True)
class Page:
    """One answer, the same for everybody."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    etag: str


class RecentPages:
    """The pages of one process by their address. `seconds` is how long each is kept."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._pages: dict[str, tuple[float, Page]] = {}
        self._flights: dict[str, Future[Page]] = {}
        self._lock = Lock()

    def get(self, address: str, render: Callable[[], Page]) -> Page:
        """The page at `address`, rendered by one caller at a time; all get what it raised, too."""
        if page := self._kept(address):
            return page
        with self._lock:
            if page := self._kept(address):
                return page
            flight = self._flights.get(address)
            if mine := flight is None:
                flight = self._flights[address] = Future()
        return self._render(address, flight, render) if mine else _landed(flight)

    def _kept(self, address: str) -> Page | None:
        until, page = self._pages.get(address, (0.0, None))
        return page if time.monotonic() < until else None

    def _render(self, address: str, flight: "Future[Page]", render: Callable[[], Page]) -> Page:
        began = time.monotonic()
        try:
            page = render()
            self._keep(address, page, began + self.seconds)
            flight.set_result(page)
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._flights[address]
        return page

    def _keep(self, address: str, page: Page, until: float) -> None:
        with self._lock:
            if len(self._pages) >= CAPACITY:
                now = time.monotonic()
                self._pages = {key: kept for key, kept in self._pages.items() if kept[0] > now}
            self._pages[address] = (until, page)


def init_app(app: Flask) -> None:
    app.extensions["recent_pages"] = RecentPages()


def answer(render: Callable[[], ResponseReturnValue]) -> Response:
    """Answer this GET with the page that `render` makes, or one of the last two seconds.

    The page must be the same for everybody: it depends on the path alone.
    """
    pages: RecentPages = current_app.extensions["recent_pages"]
    page = pages.get(request.path, lambda: _page(render))
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(page.etag):
        response = Response(status=304)
    else:
        response = Response(page.body, page.status, page.headers)
    response.headers["ETag"] = f'"{page.etag}"'
    response.headers["Cache-Control"] = CACHING
    return response


def _page(render: Callable[[], ResponseReturnValue]) -> Page:
    try:
        made = current_app.make_response(render())
    except HTTPException as error:
        if error.response is None:
            raise
        made = current_app.make_response(error.get_response())  # a redirect
    body = made.get_data()
    headers = [
        (name, made.headers[name]) for name in ("Content-Type", "Location") if name in made.headers
    ]
    return Page(made.status_code, tuple(headers), body, sha256(body).hexdigest()[:24])


def _landed(flight: "Future[Page]") -> Page:
    try:
        return flight.result(timeout=LONGEST_RENDERING)
    except Late:
        raise ServiceUnavailable(retry_after=10) from None
