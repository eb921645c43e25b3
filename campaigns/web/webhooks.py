"""The door for platforms, partners and payment providers: `POST /webhooks/<endpoint>`."""

import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from sqlalchemy import bindparam, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from campaigns import intake, notices
from campaigns.crypto import Undecryptable
from campaigns.db import db, is_outage, reading
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.notice import Verdict
from campaigns.notices import Came, Outcome
from campaigns.platforms import registry
from campaigns.platforms.base import (
    LARGEST_NOTICE,
    BadSignature,
    Movement,
    NoticeError,
    NotUnderstood,
    SignatureProbe,
    detailed,
)
from campaigns.platforms.scheme import Reply, Scheme
from campaigns.web.bodies import RETRY_SECONDS
from campaigns.web.errors import let_go, trace
from campaigns.web.refusals import Refusals, note
from config import settings

log = logging.getLogger(__name__)
bp = Blueprint("webhooks", __name__)

# A notice that came again is answered as the first time, by what became of it.
STATUS = {Verdict.BOOKED: 200, Verdict.NOTHING: 200, Verdict.CONFLICT: 409}
KEPT = 202

# Built once: building it anew cost a tenth of what a post costs.
_NAMED = (
    select(WebhookEndpoint)
    .where(WebhookEndpoint.name == bindparam("name"), WebhookEndpoint.active)
    .options(joinedload(WebhookEndpoint.secrets))
)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.extensions["refusals"] = Refusals()


@bp.post("/webhooks/<name>")
def post(name: str) -> Response:
    """Take a notice; answered after the commit, so what is acknowledged is never lost.

    200: in the ledger, perhaps since an earlier time, or it tells of no money. 202: kept, a person
    or the worker goes on with it. 400, 401, 404, 413: not taken, and why. 409: kept for staff,
    since it contradicts an earlier one. 503: the database is away or full, nothing was taken. Each
    scheme says so in the words of its senders.
    """
    return answer(name, datetime.now(UTC))


def answer(name: str, now: datetime) -> Response:
    """`post` at a given moment."""
    endpoint = _open(name)
    scheme = g.scheme = registry.scheme(endpoint.scheme)
    try:
        signed = _read(endpoint, scheme, _body(), now)
    except (NoticeError, RequestEntityTooLarge) as error:
        let_go()
        if not isinstance(error, SignatureProbe):
            note(current_app.extensions["refusals"], name, type(error).__name__, now)
        if isinstance(error, RequestEntityTooLarge):
            raise
        return _response(scheme.reply(401 if isinstance(error, BadSignature) else 400, str(error)))
    outcome = _take(endpoint, signed)
    db.session.commit()
    return _response(scheme.reply(STATUS.get(outcome.verdict, KEPT), outcome.reason))


def _open(name: str) -> WebhookEndpoint:
    """Paused and unknown ones are the same to whoever asks.

    On SQLite whoever begins to write keeps others from it, so there the endpoint is looked up in a
    transaction of its own: posts that are refused must not keep donations waiting.
    """
    if db.engine.dialect.name != "sqlite":
        endpoint = db.session.scalars(_NAMED, {"name": name}).unique().one_or_none()
    else:
        with reading():
            endpoint = db.session.scalars(_NAMED, {"name": name}).unique().one_or_none()
            db.session.expunge_all()
            db.session.rollback()
    if endpoint is None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def _body() -> bytes:
    """The bytes as they came, before anything else looks at them."""
    # One more than we take: a body that comes in pieces, without a length, is cut off silently.
    request.max_content_length = LARGEST_NOTICE + 1
    body = request.get_data()
    if len(body) > LARGEST_NOTICE:
        raise RequestEntityTooLarge
    return body


class _Signed(NamedTuple):
    """A post whose signature holds, and what it tells of."""

    came: Came
    told: list[Movement] | Outcome


def _read(endpoint: WebhookEndpoint, scheme: Scheme, body: bytes, now: datetime) -> _Signed:
    keys = endpoint.keys(settings().data_keys, now)
    headers = dict(request.headers)
    came = Came(scheme.verify(headers, body, keys, now), body, headers, now)
    try:
        return _Signed(came, scheme.movements(body, keys, now))
    except NotUnderstood as error:
        return _Signed(came, Outcome(Verdict.NOT_UNDERSTOOD, str(error)))


def _take(endpoint: WebhookEndpoint, signed: _Signed) -> Outcome:
    came, told = signed
    return _at_once(endpoint, came, told) or _keep(endpoint, came, told)


def _at_once(
    endpoint: WebhookEndpoint, came: Came, told: list[Movement] | Outcome
) -> Outcome | None:
    """The way of almost every notice; whatever stands in it, the careful way finds out."""
    if isinstance(told, Outcome) or len(told) != 1:
        return None
    try:
        return intake.at_once(endpoint, came, told[0])
    except Exception as error:  # noqa: BLE001 - a fault of ours must not lose what was signed
        log.info("A notice goes the careful way. %s", trace(error))
        let_go()
        return None


def _keep(endpoint: WebhookEndpoint, came: Came, told: list[Movement] | Outcome) -> Outcome:
    """Keep the notice first and book it then, so that it stays whatever becomes of the booking."""
    kept = notices.take(endpoint, came)
    if not kept.new:
        return kept.outcome
    if isinstance(told, Outcome):
        notices.settle(kept.notice_id, told)
        return told
    try:
        with db.session.begin_nested():
            return intake.book(kept.notice_id, endpoint, told, came.at)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not lose what was signed
        if is_outage(error):
            raise
        log.error("Notice %d was not booked. %s", kept.notice_id, trace(error))
        return notices.postpone(kept.notice_id, detailed(notices.OURS, trace(error)), came.at)


@bp.errorhandler(HTTPException)
def _refuse(error: HTTPException) -> Any:
    return _said(error.code or 500, error.description or "")


@bp.errorhandler(OperationalError)
@bp.errorhandler(InterfaceError)
@bp.errorhandler(PoolTimeout)
@bp.errorhandler(Undecryptable)
def _our_outage(error: Exception) -> Any:
    """Nothing was taken, so the sender has to come again."""
    log.error("A post could not be taken. %s", trace(error))
    let_go()
    answer = _said(503, "The service cannot take this just now. Please send it again.")
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def _said(status: int, reason: str) -> Response:
    """In the words of the endpoint's scheme, as soon as it is known."""
    if scheme := g.get("scheme"):
        return _response(scheme.reply(status, reason))
    answer = jsonify(ok=False, reason=reason)
    answer.status_code = status
    return answer


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, content_type=reply.content_type)
