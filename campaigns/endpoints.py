"""Webhook endpoints: make one, give it new secrets, pause it, and seal its secrets anew."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select

from campaigns import audit
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint, WebhookSecret
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.platforms import registry
from campaigns.platforms.scheme import Keys, Scheme, told_apart
from config import settings

# How long a sender may go on signing with the secret before; enough for a working day's change.
OVERLAP = timedelta(hours=24)
NOTHING: Mapping[str, str] = MappingProxyType({})
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]", re.ASCII)


class BadName(ValueError):
    """The name cannot stand in an address."""


class NameTaken(ValueError):
    """Another endpoint has the name."""


class UnknownEndpoint(LookupError):
    """There is no endpoint of this name."""


class NoSecretOfOurs(ValueError):
    """In this scheme the sender gives the keys, so there is none to make."""


class AnotherAccount(ValueError):
    """What was given is of another account than the endpoint's money comes through."""


@dataclass(frozen=True)
class Made:
    """An endpoint, and the secret that was made for it: shown once, and empty if none was made."""

    endpoint: WebhookEndpoint
    secret: str = ""

    @property
    def address(self) -> str:
        return f"{settings().base_url}/webhooks/{self.endpoint.name}"


def create(
    name: str,
    scheme: str,
    bounds: Campaign | Listing,
    now: datetime,
    by: Staff | None = None,
    *,
    given: Mapping[str, str] = NOTHING,
) -> Made:
    """Open an endpoint that books within a campaign or one listing.

    `given` is what its scheme wants to be set up with, by name. Its source, the account its money
    comes through, is what the scheme says, else its name. Raises `BadName`, `NameTaken`, `BadKeys`
    and `registry.UnknownScheme`.
    """
    if not _NAME.fullmatch(name):
        raise BadName("An endpoint's name is 2 to 64 small letters, digits and hyphens.")
    if db.session.scalar(select(WebhookEndpoint.id).where(WebhookEndpoint.name == name)):
        raise NameTaken(f"There is an endpoint called {name} already.")
    rules = registry.scheme(scheme)
    keys, secret = _with_ours(rules, told_apart(given, rules.SETTINGS))
    rules.check(keys)
    endpoint = WebhookEndpoint(
        name=name,
        scheme=scheme,
        source=rules.source(keys) or name,
        settings=dict(keys.settings),
        created_at=now,
    )
    if isinstance(bounds, Campaign):
        endpoint.campaign_id = bounds.id
    else:
        endpoint.listing_id = bounds.id
    db.session.add(endpoint)
    db.session.flush()
    _add_secrets(endpoint, keys, now)
    audit.record("created endpoint", endpoint, now, by=by, changes={"name": (None, name)})
    return Made(endpoint, secret)


def rotate(
    endpoint: WebhookEndpoint,
    now: datetime,
    by: Staff | None = None,
    *,
    given: Mapping[str, str] = NOTHING,
    overlap: timedelta | None = OVERLAP,
) -> Made:
    """Give an endpoint new secrets, and change its settings; a secret that is ours to make is made.

    Secrets of the same sort from before stay valid for `overlap`, not longer than they were; for
    good if it is None. One that is given again stays as it is. A setting given empty is taken
    away. Each call makes another of ours. Raises `NoSecretOfOurs` where there is nothing to do,
    `BadKeys`, and `AnotherAccount`.
    """
    rules = registry.scheme(endpoint.scheme)
    if not given and not any(one.made for one in rules.SETTINGS):
        raise NoSecretOfOurs(
            f"Senders of {endpoint.scheme} give the keys themselves: give new ones."
        )
    new, secret = told_apart(given, rules.SETTINGS), ""
    if not given:
        new, secret = _with_ours(rules, new)
    before = endpoint.keys(settings().data_keys, now)
    plain = {**before.settings, **new.settings}
    plain = {name: value for name, value in plain.items() if given.get(name) != ""}
    after = Keys({**before.secrets, **new.secrets}, plain)
    rules.check(after)
    if (rules.source(after) or endpoint.source) != endpoint.source:
        raise AnotherAccount("This is another account: open an endpoint of its own for it.")
    changed = {
        name: (before.plain(name), after.plain(name))
        for name in {*before.settings, *plain}
        if before.plain(name) != after.plain(name)
    }
    endpoint.settings = plain
    _retire(endpoint, new, now, overlap)
    _add_secrets(endpoint, new, now)
    audit.record("rotated secret", endpoint, now, by=by, changes=changed)
    return Made(endpoint, secret)


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


def _with_ours(rules: Scheme, keys: Keys) -> tuple[Keys, str]:
    """What was given and, where it was not, what is ours to make; and that alone."""
    for one in rules.SETTINGS:
        secret = rules.new_secret() if one.made and not keys.valid(one.name) else None
        if secret is not None:
            return Keys({**keys.secrets, one.name: [secret]}, keys.settings), secret
    return keys, ""


def _retire(endpoint: WebhookEndpoint, new: Keys, now: datetime, overlap: timedelta | None) -> None:
    """Let the old ones of each sort that there are new ones of end; those given again stay."""
    sorts = {_sort(name) for name in new.secrets}
    for old in endpoint.secrets:
        expired = old.expires_at is not None and old.expires_at <= now
        if expired or _sort(old.name) not in sorts:
            continue
        if old.unsealed(settings().data_keys).decode() in new.valid(old.name):
            old.expires_at = None
        elif overlap is not None:
            old.expires_at = min(old.expires_at or now + overlap, now + overlap)


def _sort(name: str) -> str:
    return name.partition(":")[0]


def _add_secrets(endpoint: WebhookEndpoint, keys: Keys, now: datetime) -> None:
    held = endpoint.keys(settings().data_keys, now)
    for name, values in keys.secrets.items():
        for value in values:
            if value in held.valid(name):
                continue
            row = WebhookSecret(endpoint_id=endpoint.id, name=name, created_at=now)
            row.seal(settings().data_keys, value.encode())
            endpoint.secrets.append(row)
    db.session.flush()


def _activate(endpoint: WebhookEndpoint, active: bool, now: datetime, by: Staff | None) -> None:
    if endpoint.active is active:
        return
    endpoint.active = active
    audit.record("resumed" if active else "paused", endpoint, now, by=by)
