"""What is answered when something goes wrong: pages in the reader's language, JSON for machines."""

import logging
import sqlite3
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, render_template, request
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, Conflict, HTTPException

from campaigns.db import db
from campaigns.web.bodies import NO_ROOM, RETRY_SECONDS

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent.parent


def init_app(app: Flask) -> None:
    """Answer every error of the app's routes."""
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(DataError, _not_storable)
    app.register_error_handler(IntegrityError, _beaten)
    for outage in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(outage, _our_outage)
    app.register_error_handler(OSError, _no_room)


def trace(error: BaseException | None) -> str:
    """Where an exception came from, in one line: types and places, never its message or values,
    which may be a donor's (design §5 rule 11)."""
    causes = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        causes.append(f"{type(error).__name__} at {' > '.join(places) or 'an unknown place'}")
        error = error.__cause__
    route = request.url_rule.rule if request and request.url_rule else "no route"
    method = request.method if request else "Outside a request"
    return f"{method} {route}: {'; because of '.join(causes)}"


def let_go() -> None:
    """Undo what the session did; never raises, also when the database is gone."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session().invalidate()


def _refuse(error: HTTPException) -> Any:
    if error.response is not None:
        return error
    code = error.code or 500
    said = None if error.description == type(error).description else error.description
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return _page(code, said), code, headers


def _not_storable(error: DataError) -> Any:
    """A value that the database cannot hold came past every form: the sender's fault, not ours."""
    log.warning("A value could not be stored. %s", trace(error))
    let_go()
    return _refuse(BadRequest())


def _beaten(error: IntegrityError) -> Any:
    """Somebody did the same at the same moment, and a unique key decided (design §5 rule 13)."""
    log.warning("Two did the same at once. %s", trace(error))
    let_go()
    return _refuse(Conflict())


def _our_outage(error: DBAPIError | PoolTimeout) -> Any:
    """The database is away, locked or full: nothing is half done, the sender may come again."""
    if _written_while_reading(error):
        raise error
    log.warning("The database did not answer. %s", trace(error))
    let_go()
    return _page(503, None), 503, {"Retry-After": str(RETRY_SECONDS)}


def _no_room(error: OSError) -> Any:
    """The disk is full where uploads wait to be read."""
    if error.errno not in NO_ROOM:
        raise error
    log.warning("The disk is full. %s", trace(error))
    let_go()
    return _page(503, None), 503, {"Retry-After": str(RETRY_SECONDS)}


def _page(code: int, reason: str | None) -> Any:
    if _wants_json():
        return {"error": str(reason) if reason else HTTPStatus(code).phrase}
    try:
        return render_template("errors/error.html", code=code, reason=reason)
    except Exception as error:  # noqa: BLE001 - nothing stands above that could still answer
        log.error("The error page failed. %s", trace(error))
        return Response(f"{code} {HTTPStatus(code).phrase}\n", mimetype="text/plain")


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), "text/html")
    return request.path.endswith(".json") or best == "application/json"


def _written_while_reading(error: BaseException) -> bool:
    """A GET that tried to write is a fault of ours and no outage (SQLite calls both the same)."""
    cause = getattr(error, "orig", None)
    code = cause.sqlite_errorcode if isinstance(cause, sqlite3.OperationalError) else 0
    return "reading" in g and code & 0xFF == sqlite3.SQLITE_READONLY


def _place(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
