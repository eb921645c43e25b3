"""Transports, as staff set them up: relays with order, shares and limits; limits of domains."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select

from campaigns import audit, ways
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.mail.address import Address, BadAddress
from campaigns.mail.relay import BadRelay, Relay
from campaigns.model.staff import Staff
from campaigns.model.transport import PERIODS, MailDomain, MailTransport
from config import settings

MOST, HIGHEST = 1_000_000, 100
_NAME = re.compile(r"[\w][\w .-]{0,62}")


class Refused(Exception):
    """What cannot be. Its text is a sentence for the person who tried."""


class BadName(Refused):
    """It is empty, too long, odd, or taken."""


class BadPlace(Refused):
    """It is no relay's address, or none was given."""


class BadNumber(Refused):
    """An order, share or limit out of bounds."""


class BadDomain(Refused):
    """It is no domain's name."""


@dataclass(frozen=True)
class Plan:
    """A transport as it is to be. Without a `url` it keeps the one it has."""

    name: str
    url: str | None = field(default=None, repr=False)
    rank: int = 1
    share: int = 1
    paused: bool = False
    limits: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A transport just now: `place` is its host and port, None if its secret cannot be opened."""

    row: MailTransport
    place: str | None
    resting: bool


def seen(now: datetime) -> list[Seen]:
    """Every transport in the order that letters go by them."""
    rows = db.session.scalars(select(MailTransport).order_by(MailTransport.rank, MailTransport.id))
    return [Seen(row, _place(row), bool(row.rests_until and row.rests_until > now)) for row in rows]


def domains() -> list[MailDomain]:
    """Domains with limits, and those that are slowed down just now."""
    return list(db.session.scalars(select(MailDomain).order_by(MailDomain.name)))


def add(plan: Plan, now: datetime, by: Staff | None = None) -> MailTransport:
    """Let letters go by one more relay, from within a second or two on. Raises `Refused`."""
    if plan.url is None:
        raise BadPlace(_("Write where the relay is."))
    row = MailTransport(created_at=now)
    with db.session.no_autoflush:
        _set(row, plan)
    db.session.add(row)
    db.session.flush()
    audit.record("add transport", row, now, by=by, changes=_changes({}, row))
    return row


def change(row: MailTransport, plan: Plan, now: datetime, by: Staff | None = None) -> None:
    """Raises `Refused`. A letter in hand is finished; the second time does nothing."""
    before, sealed = _facts(row), row.sealed
    with db.session.no_autoflush:
        _set(row, plan)
    changes = _changes(before, row)
    if row.sealed != sealed:
        row.trouble = row.rests_until = None
    db.session.flush()
    if changes:
        audit.record("change transport", row, now, by=by, changes=changes)


def remove(row: MailTransport, now: datetime, by: Staff | None = None) -> None:
    """Attempts keep its name. With the last one gone SMTP_URL counts again."""
    audit.record("remove transport", row, now, by=by, changes={"transport": (row.name, None)})
    db.session.delete(row)
    db.session.flush()


def limit(
    domain: str, limits: Mapping[str, int | None], now: datetime, by: Staff | None = None
) -> None:
    """Set how many letters a recipients' domain gets at most; without limits it has none.

    Raises `Refused`. The second time does nothing.
    """
    try:
        name = Address.parse(f"postmaster@{domain.strip()}").ascii_domain
    except BadAddress as error:
        raise BadDomain(_("Write a domain such as qq.com.")) from error
    row = db.session.get(MailDomain, name) or MailDomain(name=name, gap_ms=0)
    before = dict(row.limits)
    _limit(row, limits)
    if before == row.limits:
        db.session.expunge(row) if row in db.session.new else None
        return
    db.session.add(row)
    if not row.limits and not row.gap_ms:
        db.session.delete(row) if row not in db.session.new else db.session.expunge(row)
    db.session.flush()
    changes = {"domain": (name, name), "limits": (_told(before), _told(row.limits))}
    audit.record("limit domain", row, now, by=by, changes=changes)


def named(name: str) -> MailTransport | None:
    return db.session.scalar(select(MailTransport).where(MailTransport.name == name))


def _set(row: MailTransport, plan: Plan) -> None:
    name = " ".join(plan.name.split())
    if not _NAME.fullmatch(name):
        raise BadName(_("Write a short name, such as Main relay."))
    if _is_taken(name, row):
        raise BadName(_("Another one has this name."))
    if not 1 <= plan.rank <= HIGHEST or not 1 <= plan.share <= HIGHEST:
        raise BadNumber(_("Between 1 and 100."))
    keys = settings().data_keys
    url = plan.url
    if url is None and row.name != name:
        url = row.unsealed(keys).decode()
    if url is not None:
        _check(url)
    row.name, row.rank, row.share, row.paused = name, plan.rank, plan.share, plan.paused
    _limit(row, plan.limits)
    if url is not None:
        row.seal(keys, url.encode())


def _is_taken(name: str, row: MailTransport) -> bool:
    others = select(func.count()).where(
        func.lower(MailTransport.name) == name.lower(), MailTransport.id != (row.id or 0)
    )
    return bool(db.session.scalar(others))


def _check(url: str) -> None:
    try:
        Relay.parse(url)
    except BadRelay as error:
        raise BadPlace(
            _("Write it like smtp+starttls://user:password@mail.example.org or smtp://host:25.")
        ) from error


def _limit(row: MailTransport | MailDomain, limits: Mapping[str, int | None]) -> None:
    for period in PERIODS:
        most = limits.get(period)
        if most is not None and not 1 <= most <= MOST:
            raise BadNumber(_("Between 1 and 1,000,000."))
        setattr(row, f"per_{period}", most)


def _place(row: MailTransport) -> str | None:
    try:
        return ways.of(row).transport.name
    except Undecryptable:
        return None


def _facts(row: MailTransport) -> dict[str, object]:
    return {
        "transport": row.name,
        "place": _place(row),
        "rank": row.rank,
        "share": row.share,
        "paused": row.paused,
        "limits": _told(row.limits),
    }


def _changes(before: Mapping[str, object], row: MailTransport) -> dict[str, tuple[object, object]]:
    after = _facts(row)
    return {
        name: (before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    }


def _told(limits: Mapping[str, int]) -> str:
    return ", ".join(f"{most} a {period}" for period, most in limits.items()) or "none"
