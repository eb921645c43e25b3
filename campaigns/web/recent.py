"""Pages rendered a moment ago: a crowd costs one rendering, and nobody sees an old page.

A page is kept for 2 s in each process and 3 s by browsers and proxies, so it is never older than
5 s (design §12). While it is kept it is answered before Flask wakes, which is several times what
Flask alone could do; whoever comes while it is being rendered waits for that rendering.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, ServiceUnavailable

SECONDS = 2.0
CACHING = "public, max-age=3"
# More pages than are read in two seconds; beyond it those that are over are forgotten.
CAPACITY = 512
LONGEST_RENDERING = 20  # seconds
# Where a view notes for the crowd when its page was rendered.
RENDERED_AT = "huiyin.rendered_at"

Wsgi = Callable[..., Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Page:
    """One rendering, the same for everybody; `began` is monotonic."""

    began: float
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def etag(self) -> str:
        return sha256(self.body).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it went out, with every header."""

    until: float
    status: str
    headers: list[tuple[str, str]]
    body: list[bytes]
    etag: str

    def to(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._known(environ):
            start_response("304 NOT MODIFIED", [pair for pair in self.headers if _kept(pair)])
            return ()
        start_response(self.status, self.headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.body

    def _known(self, environ: dict[str, Any]) -> bool:
        """Whether who asks has this page: by its tag, else by the moment that we told them."""
        if "HTTP_IF_NONE_MATCH" in environ:
            return bool(self.etag) and self.etag in environ["HTTP_IF_NONE_MATCH"]
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        return bool(since) and ("Last-Modified", since) in self.headers


class Recent:
    """Stands before a WSGI app and answers again what it answered a moment ago.

    Only what `answer` below made is kept, by path alone. `seconds` is how long.
    """

    def __init__(self, app: Wsgi, seconds: float = SECONDS) -> None:
        self.app, self.seconds = app, seconds
        self._answers: dict[str, Answer] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self.app(environ, start_response)
        kept = self._answers.get(environ["PATH_INFO"])
        if kept is not None and time.monotonic() < kept.until:
            return kept.to(environ, start_response)
        return self._ask(environ, start_response)

    def _ask(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            started[:] = status, headers
            return start_response(status, headers, *error)

        body = self.app(environ, start)
        began = environ.get(RENDERED_AT)
        whole = environ["REQUEST_METHOD"] == "GET" and not started[0].startswith("304")
        if began is None or not whole or not self.seconds:
            return body
        status, headers = started
        try:
            chunks = list(body)
        finally:
            getattr(body, "close", bool)()  # PEP 3333: whoever reads the body closes it.
        self._keep(environ["PATH_INFO"], began + self.seconds, status, list(headers), chunks)
        return chunks

    def _keep(self, path: str, until: float, *sent: Any) -> None:
        status, headers, chunks = sent
        if len(self._answers) >= CAPACITY:
            now = time.monotonic()
            # A new dictionary, since others read the old one at this moment.
            self._answers = {key: one for key, one in self._answers.items() if one.until > now}
        etag = next((value for name, value in headers if name == "ETag"), "")
        self._answers[path] = Answer(until, status, headers, chunks, etag)


class Flights:
    """Renderings under way, by path: one for all who ask meanwhile."""

    def __init__(self) -> None:
        self._under_way: dict[str, Future[Page]] = {}
        self._lock = Lock()

    def share(self, path: str, render: Callable[[], Page]) -> Page:
        """What `render` gives to the first who asks; the others get it too, or what it raised."""
        with self._lock:
            flight = self._under_way.get(path)
            if first := flight is None:
                flight = self._under_way[path] = Future()
        return self._fly(path, flight, render) if first else _landed(flight)

    def _fly(self, path: str, flight: "Future[Page]", render: Callable[[], Page]) -> Page:
        try:
            page = render()
            flight.set_result(page)
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[path]
        return page


def init_app(app: Flask) -> None:
    """Put `Recent` before the app; it is also `app.extensions["recent"]`."""
    app.extensions["recent"] = recent = Recent(app.wsgi_app)
    app.extensions["flights"] = Flights()
    app.wsgi_app = recent  # type: ignore[method-assign]


def answer(render: Callable[[], ResponseReturnValue]) -> Response:
    """Answer this GET with the page that `render` makes, for everybody and for a moment.

    The page must depend on the path alone: not on the query, the reader or their language.
    """
    flights: Flights = current_app.extensions["flights"]
    page = flights.share(request.path, lambda: _page(render))
    request.environ[RENDERED_AT] = page.began
    response = Response(page.body, page.status, page.headers)
    response.set_etag(page.etag)
    response.headers["Cache-Control"] = CACHING
    response.make_conditional(request)
    return response


def _page(render: Callable[[], ResponseReturnValue]) -> Page:
    began = time.monotonic()
    try:
        made = current_app.make_response(render())
    except HTTPException as error:
        if error.response is None:
            raise
        made = current_app.make_response(error.get_response())  # a redirect
    names = ("Content-Type", "Location", "Last-Modified")
    headers = tuple((name, made.headers[name]) for name in names if name in made.headers)
    return Page(began, made.status_code, headers, made.get_data())


def _landed(flight: "Future[Page]") -> Page:
    try:
        return flight.result(timeout=LONGEST_RENDERING)
    except Late:
        raise ServiceUnavailable(retry_after=10) from None


def _kept(header: tuple[str, str]) -> bool:
    """Whether a 304 says it again: everything but what describes the body it does not have."""
    return header[0] not in ("Content-Type", "Content-Length")
