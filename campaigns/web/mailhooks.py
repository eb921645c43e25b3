"""The door for mail providers: `POST /hooks/mail/<name>`."""

import logging
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from campaigns import mailhooks, returns
from campaigns.crypto import Undecryptable
from campaigns.db import db, reading
from campaigns.mail.hook import LARGEST_POST, Beside, Post, PostError, Unavailable
from campaigns.model.mail_hook import MailHook
from campaigns.web.bodies import RETRY_SECONDS
from campaigns.web.errors import let_go, trace
from campaigns.web.published import Published
from config import settings

log = logging.getLogger(__name__)
bp = Blueprint("mailhooks", __name__)


def init_app(app: Flask) -> None:
    app.extensions["published"] = Published()
    app.register_blueprint(bp)


@bp.post("/hooks/mail/<name>")
def post(name: str) -> Response:
    """Take what a provider tells; answered after the commit.

    200: taken, known already, or about no letter of ours. Else it was not taken: 4xx as the
    provider understands it, 404, 413; 503 with Retry-After when the database is away, or what
    the provider signs with.
    """
    return answer(name, datetime.now(UTC))


def answer(name: str, now: datetime) -> Response:
    """`post` at a given moment."""
    hook = _open(name)
    provider, door, body = mailhooks.PROVIDERS[hook.provider], f"hook:{name}", _body()
    secret = hook.unsealed(settings().data_keys).decode()
    try:
        read = provider.read(body, secret, now, _beside())
        if read.visit:
            _published().fetch(read.visit)
        _take(hook, read, body, now)
    except PostError as error:
        let_go()
        _count(door, type(error).__name__, now)
        return _said(provider.REFUSED[type(error)], str(error))
    db.session.commit()
    return _said(200, "Taken.")


def _open(name: str) -> MailHook:
    """In a transaction that keeps nobody from writing, since most of what is refused ends here."""
    with reading():
        hook = mailhooks.named(name)
        db.session.expunge_all()
        db.session.rollback()
    if hook is None:
        raise NotFound("There is no such hook.")
    return hook


def _beside() -> Beside:
    given = request.authorization
    password = given.password if given is not None and given.type == "basic" else None
    return Beside(password or "", _published().kept)


def _published() -> Published:
    found: Published = current_app.extensions["published"]
    return found


def _take(hook: MailHook, read: Post, body: bytes, now: datetime) -> None:
    if read.once and not mailhooks.use(hook.id, read.once, body, now):
        return
    mailhooks.heard(hook.id, now)
    for event in read.events:
        returns.tell(event, f"hook:{hook.name}", now)


def _body() -> bytes:
    # One more than we take: a body that comes in pieces, without a length, is cut off silently.
    request.max_content_length = LARGEST_POST + 1
    body = request.get_data()
    if len(body) > LARGEST_POST:
        raise RequestEntityTooLarge
    return body


def _count(door: str, reason: str, now: datetime) -> None:
    """At most once a minute: whoever floods us must not keep others from writing."""
    number = current_app.extensions["refusals"].count(door, reason, now)
    if not number:
        return
    log.warning("%d posts to %s were not taken: %s.", number, door, reason)
    try:
        returns.count(door, reason, number, now)
        db.session.commit()
    except (DBAPIError, PoolTimeout):
        let_go()


@bp.errorhandler(HTTPException)
def _refuse(error: HTTPException) -> Any:
    return _said(error.code or 500, error.description or "")


@bp.errorhandler(DBAPIError)
@bp.errorhandler(PoolTimeout)
@bp.errorhandler(Undecryptable)
@bp.errorhandler(Unavailable)
def _our_outage(error: Exception) -> Any:
    """Nothing was taken, so the provider has to come again."""
    log.error("What a provider told could not be taken. %s", trace(error))
    let_go()
    said = _said(503, "The service cannot take this just now. Please send it again.")
    said.headers["Retry-After"] = str(RETRY_SECONDS)
    return said


def _said(status: int, reason: str) -> Response:
    said = jsonify(ok=status == 200, reason=reason)
    said.status_code = status
    return said
