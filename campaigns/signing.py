"""Signing: the keys that letters of a sender's domain are signed with, and who signs just now."""

import logging
import re
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from campaigns import audit
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.mail import dkim
from campaigns.mail.address import Address, BadAddress
from campaigns.mail.dkim import Signer, Unreadable
from campaigns.model.signing_key import SigningKey
from config import settings

log = logging.getLogger(__name__)
KINDS = (dkim.RSA, dkim.ED25519)
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class Unfit(Exception):
    """What cannot be. Its text is a sentence for the person who tried."""


def signers(domain: str) -> list[Signer]:
    """Who signs for a sender's domain: keys of its own, and of a domain that it is part of.

    A key that cannot be read signs nothing, and letters go out without it: better than not at all.
    """
    found = []
    for row in db.session.scalars(select(SigningKey).where(SigningKey.since.is_not(None))):
        if domain == row.domain or domain.endswith(f".{row.domain}"):
            try:
                found.append(signer(row))
            except (Undecryptable, Unreadable) as error:
                log.error("Letters are not signed for %s: %s", row.domain, error)
    return found


def signer(row: SigningKey) -> Signer:
    """Raises `Undecryptable`, `Unreadable`."""
    return dkim.signer(row.domain, row.selector, row.unsealed(settings().data_keys))


def add(domain: str, selector: str, kind: str, now: datetime) -> SigningKey:
    """Make a key, which signs nothing before `start`. Raises `Unfit`."""
    try:
        name = Address.parse(f"postmaster@{domain}").ascii_domain
    except BadAddress as error:
        raise Unfit("A domain looks like updates.example.org.") from error
    if not _SELECTOR.fullmatch(selector):
        raise Unfit("A selector is up to 63 small letters, digits and hyphens.")
    if _named(name, selector) is not None:
        raise Unfit(f"There is a key {selector} for {name} already.")
    row = SigningKey(domain=name, selector=selector, created_at=now)
    row.seal(settings().data_keys, dkim.new_key(kind))
    db.session.add(row)
    db.session.flush()
    changes: dict[str, tuple[object, object]] = {"key": (None, f"{selector}._domainkey.{name}")}
    audit.record("add signing key", row, now, by=None, changes=changes)
    return row


def start(domain: str, selector: str, now: datetime) -> SigningKey:
    """Sign letters with it from now on; the second time does nothing. Raises `Unfit`."""
    row = _known(domain, selector)
    if row.since is None:
        row.since = now
        audit.record("start signing", row, now, by=None, changes={"since": (None, now)})
    return row


def remove(domain: str, selector: str, now: datetime) -> None:
    """Sign no more with it. Raises `Unfit`."""
    row = _known(domain, selector)
    key = f"{row.selector}._domainkey.{row.domain}"
    audit.record("remove signing key", row, now, by=None, changes={"key": (key, None)})
    db.session.delete(row)
    db.session.flush()


def looked() -> Iterator[tuple[str, bool, str | None]]:
    """Of each key its domain, whether it signs, and what is wrong with it."""
    for row in all_of_them():
        trouble = None
        try:
            signer(row)
        except (Undecryptable, Unreadable) as error:
            trouble = str(error)
        yield row.domain, row.since is not None, trouble


def all_of_them() -> list[SigningKey]:
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.id)))


def _known(domain: str, selector: str) -> SigningKey:
    row = _named(domain.strip().lower(), selector)
    if row is None:
        raise Unfit(f"There is no key {selector} for {domain}.")
    return row


def _named(domain: str, selector: str) -> SigningKey | None:
    which = (SigningKey.domain == domain, SigningKey.selector == selector)
    return db.session.scalar(select(SigningKey).where(*which))
