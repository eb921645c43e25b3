"""The doctor: looks at everything the service stands on, and says what to do where it ails."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from campaigns import bell, schema
from campaigns.crypto import address_hash, key_id
from campaigns.db import db
from campaigns.mail.relay import BadRelay
from campaigns.mail.smtp import Patience, SmtpTransport
from campaigns.mail.transport import Unreachable
from campaigns.mail.way import way_out
from campaigns.model import append_only
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookSecret
from campaigns.model.pulse import Pulse
from config import settings

# Signatures of webhooks are refused when the clock is minutes off; seconds are everyday.
CLOCK_TOLERANCE = timedelta(seconds=10)
# Before it, a rare fault of SQLite's write-ahead log can damage the database.
SOUND_SQLITE = (3, 51, 3)
BROKER_PATIENCE = 3.0
MAIL_PATIENCE = Patience(connect=5, reply=5, dot=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. `remedy` says what to do where it is not well; a warning may wait."""

    part: str
    seen: str
    remedy: str = ""
    warning: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.remedy) and not self.warning


Look = Callable[[datetime], Iterator[Finding]]


def examine(now: datetime) -> Iterator[Finding]:
    """Look at one part after the other. Never raises; `now` is this machine's clock.

    What rests on the database is not looked at while that is away.
    """
    yield from _settings()
    reached = list(_looked("database", _database, now))
    yield from reached
    if not any(finding.failed for finding in reached):
        migrated = list(_looked("migrations", _migrations, now))
        yield from migrated
        if not any(finding.failed for finding in migrated):
            for part, look in (("triggers", _triggers), ("keys", _keys), ("clock", _clock)):
                yield from _looked(part, look, now)
    yield from _broker()
    yield from _mail()


def _looked(part: str, look: Look, now: datetime) -> Iterator[Finding]:
    try:
        yield from look(now)
    except SQLAlchemyError as error:
        db.session.rollback()
        yield Finding(
            part,
            f"The database did not answer ({type(error).__name__}).",
            "Start it, or correct DATABASE_URL; docs/settings.md says what that looks like.",
        )


def _settings() -> Iterator[Finding]:
    held = settings()
    if held.embedded or held.secure:
        yield Finding("settings", "Every setting could be read.")
    else:
        yield Finding(
            "settings",
            f"People reach the service at {held.base_url}, without encryption.",
            "Put a proxy with TLS before it and begin BASE_URL with https://, so that logins and "
            "one-click unsubscribe work (RFC 8058).",
            warning=True,
        )


def _database(now: datetime) -> Iterator[Finding]:
    db.session.execute(select(1))
    yield Finding("database", f"{db.engine.dialect.name} answers.")
    if db.engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < SOUND_SQLITE:
        yield Finding(
            "database",
            f"SQLite {sqlite3.sqlite_version} has a rare fault in its write-ahead log.",
            f"Use Python with SQLite {'.'.join(map(str, SOUND_SQLITE))} or newer, or PostgreSQL.",
            warning=True,
        )


def _migrations(now: datetime) -> Iterator[Finding]:
    stands, head = schema.stands_at(db.session.connection()), schema.head()
    if stands == head:
        yield Finding("migrations", f"The database stands at {head}.")
    else:
        yield Finding(
            "migrations",
            f"The database stands at {stands or 'none'}, this version needs {head}.",
            "Run: flask --app wsgi db upgrade",
        )


def _triggers(now: datetime) -> Iterator[Finding]:
    missing = append_only.triggers(db.engine.dialect.name) - _standing_triggers()
    if not missing:
        yield Finding("triggers", "The ledger and its neighbours refuse changes.")
    else:
        yield Finding(
            "triggers",
            f"Missing: {', '.join(sorted(missing))}. Booked money could be changed.",
            "Somebody dropped them by hand. Compare the ledger with the last backup, then lay them "
            "again with the statements of migrations/versions/0007_append_only.py.",
        )


def _standing_triggers() -> set[str]:
    sources = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
    }
    return set(db.session.scalars(text(sources[db.engine.dialect.name])))


def _keys(now: datetime) -> Iterator[Finding]:
    known = {name for name, _ in settings().data_keys}
    lost = {key_id(sealed) for sealed in db.session.scalars(select(WebhookSecret.sealed))} - known
    if lost:
        yield Finding(
            "keys",
            f"Stored secrets were encrypted with {', '.join(sorted(lost))}.",
            "Add that key to DATA_KEYS again, or set up those webhooks anew.",
        )
    newest = select(Donor).where(Donor.address.is_not(None)).order_by(Donor.id.desc()).limit(1)
    donor = db.session.scalar(newest)
    if donor and donor.address_hash != address_hash(settings().address_pepper, donor.address or ""):
        yield Finding(
            "keys",
            "ADDRESS_PEPPER is not the one this database was filled with.",
            "Put the old one back at once: suppressed addresses are not recognised without it.",
        )
    elif not lost:
        yield Finding("keys", "Secrets and addresses fit the keys.")


def _clock(now: datetime) -> Iterator[Finding]:
    theirs = _their_clock() or now
    beaten = db.session.scalar(select(func.max(Pulse.at)))
    ahead = abs(now - theirs)
    if ahead > CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            f"This machine and the database are {ahead.total_seconds():.0f} s apart.",
            "Let both set their clocks by NTP.",
        )
    elif beaten and beaten - now > CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            f"The last beat is from {beaten:%Y-%m-%d %H:%M} UTC, which is still to come.",
            "Some machine's clock is or was ahead. Set every clock by NTP.",
        )
    else:
        yield Finding("clock", f"It is {now:%Y-%m-%d %H:%M} UTC, also for the database.")


def _their_clock() -> datetime | None:
    if db.engine.dialect.name == "sqlite":
        return None
    told = db.session.scalar(text("SELECT clock_timestamp()"))
    return told.astimezone(UTC) if told else None


def _broker() -> Iterator[Finding]:
    url = settings().broker_url
    remedy = "Start it, or correct REDIS_URL or BROKER_URL. Until then nothing is polled or sent."
    if url is None:
        yield Finding("broker", "Neither REDIS_URL nor BROKER_URL is set.", remedy)
        return
    try:
        bell.ring(url, BROKER_PATIENCE)
    except bell.Silent as error:
        yield Finding("broker", str(error), remedy)
    else:
        yield Finding("broker", "It answers.")


def _mail() -> Iterator[Finding]:
    try:
        transport = way_out(settings().smtp_url, settings().instance_dir)
        if isinstance(transport, SmtpTransport):
            transport = replace(transport, patience=MAIL_PATIENCE)
        transport.connect().close()
    except (Unreachable, BadRelay) as error:
        yield Finding("mail", str(error), "Start the relay, or correct SMTP_URL.")
    else:
        yield Finding("mail", f"Letters go out by {transport.name}.")
