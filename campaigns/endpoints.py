"""Webhook endpoints: make one, give it a new secret, pause it, and seal its secrets anew."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from campaigns import audit, crypto
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint, WebhookSecret
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.platforms import registry
from config import settings

# How long a sender may go on signing with the secret before; enough for a working day's change.
OVERLAP = timedelta(hours=24)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]", re.ASCII)


class BadName(ValueError):
    """The name cannot stand in an address."""


class NameTaken(ValueError):
    """Another endpoint has the name."""


class UnknownEndpoint(LookupError):
    """There is no endpoint of this name."""


class NoSecretOfOurs(ValueError):
    """In this scheme the sender gives the keys, so there is none to make."""


@dataclass(frozen=True)
class Made:
    """An endpoint, and its secret, which is never shown again."""

    endpoint: WebhookEndpoint
    secret: str

    @property
    def address(self) -> str:
        return f"{settings().base_url}/webhooks/{self.endpoint.name}"


def create(
    name: str, scheme: str, bounds: Campaign | Listing, now: datetime, by: Staff | None = None
) -> Made:
    """Open an endpoint that books within a campaign or one listing.

    Its source, the account its money comes through, begins as its name. Raises `BadName`,
    `NameTaken`, `NoSecretOfOurs` and `registry.UnknownScheme`.
    """
    if not _NAME.fullmatch(name):
        raise BadName("An endpoint's name is 2 to 64 small letters, digits and hyphens.")
    if db.session.scalar(select(WebhookEndpoint.id).where(WebhookEndpoint.name == name)):
        raise NameTaken(f"There is an endpoint called {name} already.")
    registry.scheme(scheme)
    endpoint = WebhookEndpoint(name=name, scheme=scheme, source=name, created_at=now)
    if isinstance(bounds, Campaign):
        endpoint.campaign_id = bounds.id
    else:
        endpoint.listing_id = bounds.id
    db.session.add(endpoint)
    db.session.flush()
    made = Made(endpoint, _add_secret(endpoint, now))
    audit.record("created endpoint", endpoint, now, by=by, changes={"name": (None, name)})
    return made


def rotate(endpoint: WebhookEndpoint, now: datetime, by: Staff | None = None) -> Made:
    """Give an endpoint a new secret; those before stay valid for `OVERLAP`, not longer than
    they were. Each call makes another."""
    for old in endpoint.secrets:
        old.expires_at = min(old.expires_at or now + OVERLAP, now + OVERLAP)
    made = Made(endpoint, _add_secret(endpoint, now))
    audit.record("rotated secret", endpoint, now, by=by)
    return made


def pause(endpoint: WebhookEndpoint, now: datetime, by: Staff | None = None) -> None:
    """Take nothing there until it is resumed; its senders are told 404. Twice is as good."""
    _activate(endpoint, False, now, by)


def resume(endpoint: WebhookEndpoint, now: datetime, by: Staff | None = None) -> None:
    """Take posts there again. Twice is as good as once."""
    _activate(endpoint, True, now, by)


def named(name: str) -> WebhookEndpoint:
    """Raises `UnknownEndpoint`."""
    found = db.session.scalar(select(WebhookEndpoint).where(WebhookEndpoint.name == name))
    if found is None:
        raise UnknownEndpoint(f"There is no endpoint called {name}.")
    return found


def reseal() -> int:
    """Seal every secret that an older one of DATA_KEYS holds with the newest; how many those were.

    Once it returned 0, the older keys may be removed. Raises `crypto.Undecryptable`.
    """
    keys = settings().data_keys
    old = [
        secret
        for secret in db.session.scalars(select(WebhookSecret))
        if crypto.key_id(secret.sealed) != keys[0][0]
    ]
    for secret in old:
        secret.seal(keys, secret.unsealed(keys))
    return len(old)


def _add_secret(endpoint: WebhookEndpoint, now: datetime) -> str:
    secret = registry.scheme(endpoint.scheme).new_secret()
    if secret is None:
        raise NoSecretOfOurs(f"Senders of {endpoint.scheme} give the keys themselves.")
    row = WebhookSecret(endpoint_id=endpoint.id, created_at=now)
    row.seal(settings().data_keys, secret)
    endpoint.secrets.append(row)
    db.session.flush()
    return secret


def _activate(endpoint: WebhookEndpoint, active: bool, now: datetime, by: Staff | None) -> None:
    if endpoint.active is active:
        return
    endpoint.active = active
    audit.record("resumed" if active else "paused", endpoint, now, by=by)
