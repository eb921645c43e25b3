"""What a kept notice tells of, read again from its body."""

from datetime import datetime

from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.notice import Notice
from campaigns.platforms import registry
from campaigns.platforms.base import Movement, NoticeError
from config import settings


class Forgotten(NoticeError):
    """Its body was deleted, as promised to donors."""


def by(notice: Notice, now: datetime) -> list[Movement]:
    """The money that a notice tells of. Raises `NoticeError` where it cannot be read (any more)."""
    if notice.body is None:
        raise Forgotten("Its body was deleted before it could be booked.")
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    keys = endpoint.keys(settings().data_keys, now)
    scheme = registry.scheme(endpoint.scheme)
    return scheme.movements(notice.body.content, keys, notice.received_at)


def again(notice: Notice, body: bytes, now: datetime) -> bool:
    """Whether a body says what a kept notice says, as a further attempt to deliver it does."""
    if notice.body is None:
        return False
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    keys = endpoint.keys(settings().data_keys, now)
    scheme = registry.scheme(endpoint.scheme)
    try:
        return scheme.essence(notice.body.content, keys) == scheme.essence(body, keys)
    except NoticeError:
        return False
