"""What every request and answer have in common: read-only GETs, bounds on input, headers."""

import logging
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.routing import IntegerConverter, Map
from werkzeug.utils import cached_property

from campaigns.db import reading
from campaigns.web.errors import let_go, trace
from config import settings

log = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_ID = 2**63 - 1

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Where people come by https they never come by http again (RFC 6797).
STRICT_TRANSPORT = "max-age=31536000"


class Bounded(Request):
    """A request whose query and form hold no NUL, which PostgreSQL refuses in texts.

    A body that is no form is left to its door, which may need its bytes as they came.
    """

    @cached_property
    def args(self) -> Any:
        return _without_nul(super().args)

    @cached_property
    def form(self) -> Any:
        return _without_nul(super().form)


class App(Flask):
    """Flask, but what goes wrong is logged in one line that holds nothing personal."""

    request_class = Bounded

    def log_exception(self, exc_info: Any) -> None:
        log.error("A request failed. %s", trace(exc_info[1]))


class RowId(IntegerConverter):
    """`<int:…>` in addresses: what no BIGINT can hold is no row, so there is nothing there."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": LARGEST_ID, **kwargs})


def init_app(app: Flask) -> None:
    """Guard every route of the app. Before any door adds its routes."""
    app.url_map.converters["int"] = RowId
    app.before_request(_begin)
    app.teardown_request(_end)
    app.after_request(_dress)


def same_origin() -> None:
    """Answer 403 unless a page of ours sent this form: Sec-Fetch-Site and Origin say so.

    For forms without a session. Every browser sends at least one of the two with a POST; whoever
    sends neither is no browser, so no foreign page made them do it.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden
    base = urlsplit(settings().base_url)
    ours = (request.host_url.rstrip("/"), f"{base.scheme}://{base.netloc}")
    if request.headers.get("Origin", ours[0]) not in ours:
        raise Forbidden


def client_address() -> str:
    """The address of whoever asks, for throttles.

    A connection from this machine or a private network is our own proxy's: then the last address
    it names counts, since those before it are what the client claims.
    """
    peer = request.remote_addr or ""
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(named)) if ip_address(peer).is_private else peer
    except ValueError:
        return peer


def _begin() -> None:
    if request.method in SAFE:
        g.reading = reading()
        g.reading.__enter__()
    if "\0" in request.path:
        raise BadRequest


def _end(error: BaseException | None) -> None:
    # First the mark, then the database: if that is away, the next request of this thread, perhaps
    # a POST, must not find itself reading.
    if entered := g.pop("reading", None):
        entered.__exit__(None, None, None)
    let_go()


def _dress(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings().secure:
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _without_nul(fields: Any) -> Any:
    if any("\0" in text for field in fields.items(multi=True) for text in field):
        raise BadRequest
    return fields
