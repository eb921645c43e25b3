"""What a kept notice tells of, read again from its body."""

from collections.abc import Mapping

from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.notice import Notice
from campaigns.platforms import registry
from campaigns.platforms.base import N_, Movement, NoticeError
from campaigns.platforms.scheme import Keys
from config import settings


class Forgotten(NoticeError):
    """Its body was deleted, as promised to donors."""


def by(notice: Notice) -> list[Movement]:
    """The money that a notice tells of. Raises `NoticeError` where it cannot be read (any more)."""
    if notice.body is None:
        raise Forgotten(N_("Its body was deleted before it could be booked."))
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    scheme = registry.scheme(endpoint.scheme)
    return scheme.movements(notice.body.content, _keys(endpoint, notice), notice.received_at)


def again(notice: Notice, body: bytes) -> bool:
    """Whether a body says what a kept notice says, as a further attempt to deliver it does."""
    if notice.body is None:
        return False
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    keys, scheme = _keys(endpoint, notice), registry.scheme(endpoint.scheme)
    try:
        return scheme.essence(notice.body.content, keys) == scheme.essence(body, keys)
    except NoticeError:
        return False


def in_the_clear(notice: Notice) -> Mapping[str, object]:
    """A notice for people to read. Raises `NoticeError` where it cannot be read (any more)."""
    if notice.body is None:
        raise Forgotten(N_("Its body was deleted, as promised to donors."))
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    scheme = registry.scheme(endpoint.scheme)
    return scheme.legible(notice.body.content, _keys(endpoint, notice))


def _keys(endpoint: WebhookEndpoint, notice: Notice) -> Keys:
    """Those that were valid when it came, since it may be read again long after a rotation."""
    return endpoint.keys(settings().data_keys, notice.received_at)
