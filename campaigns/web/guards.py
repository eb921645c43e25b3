"""What every answer has in common: read-only GETs, headers, and errors that say what to do."""

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, render_template, request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from campaigns.db import db, reading

log = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_SECONDS = 10

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


def init_app(app: Flask) -> None:
    """Guard every route of the app."""
    app.before_request(_begin)
    app.teardown_request(_end)
    app.after_request(_dress)
    app.register_error_handler(HTTPException, _refuse)
    for outage in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(outage, _our_outage)


def _begin() -> None:
    if request.method in SAFE:
        g.reading = reading()
        g.reading.__enter__()


def _end(error: BaseException | None) -> None:
    if entered := g.pop("reading", None):
        db.session.rollback()
        entered.__exit__(None, None, None)


def _dress(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.url_rule is None or request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refuse(error: HTTPException) -> Any:
    if error.response is not None:
        return error
    code = error.code or 500
    if _wants_json():
        answer: Any = {"error": error.description or HTTPStatus(code).phrase}
    else:
        # Werkzeug's own sentences are English only; what a view said is in the page's language.
        reason = None if error.description == type(error).description else error.description
        answer = render_template("errors/error.html", code=code, reason=reason)
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return answer, code, headers


def _our_outage(error: DBAPIError | PoolTimeout) -> Any:
    """The database is away, locked or full: nothing is half done, the sender may come again."""
    log.warning("The database did not answer: %s", type(error).__name__)
    db.session.rollback()
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if _wants_json():
        return {"error": "The service cannot write just now. Please try again."}, 503, headers
    return render_template("errors/error.html", code=503, reason=None), 503, headers


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), "text/html")
    return request.path.endswith(".json") or best == "application/json"
