"""The doctor: looks at everything the service stands on, and says what to do where it ails."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from campaigns import due, outside, schema, standstill
from campaigns.crypto import address_hash, key_id
from campaigns.db import clock, db
from campaigns.finding import Finding, Look
from campaigns.model import append_only
from campaigns.model.donor import Donor
from campaigns.model.endpoint import WebhookSecret
from campaigns.model.mail_hook import MailHook
from campaigns.model.pulse import Pulse
from campaigns.model.signing_key import SigningKey
from campaigns.model.transport import MailTransport
from config import settings

# Signatures of webhooks are refused when the clock is minutes off; seconds are everyday.
CLOCK_TOLERANCE = timedelta(seconds=10)
# Before it, a rare fault of SQLite's write-ahead log can damage the database.
SOUND_SQLITE = (3, 51, 3)


def examine(now: datetime) -> Iterator[Finding]:
    """Look at one part after the other, in the language of whoever asks. Never raises.

    `now` is this machine's clock. What rests on the database is not looked at while that is away.
    """
    yield from _settings()
    reached = list(_looked("database", _database, now))
    yield from reached
    if not any(finding.failed for finding in reached):
        migrated = list(_looked("migrations", _migrations, now))
        yield from migrated
        if not any(finding.failed for finding in migrated):
            for part, look in _LOOKS.items():
                yield from _looked(part, look, now)
    yield from outside.broker()
    yield from outside.relays()


def _looked(part: str, look: Look, now: datetime) -> Iterator[Finding]:
    try:
        yield from look(now)
    except SQLAlchemyError as error:
        db.session.rollback()
        yield Finding(
            part,
            _("The database did not answer (%(error)s).", error=type(error).__name__),
            _("Start it, or correct DATABASE_URL; docs/settings.md says what that looks like."),
        )


def _settings() -> Iterator[Finding]:
    held = settings()
    if held.embedded or held.secure:
        yield Finding("settings", _("Every setting could be read."))
    else:
        yield Finding(
            "settings",
            _("People reach the service at %(url)s, without encryption.", url=held.base_url),
            _(
                "Put a proxy with TLS before it and begin BASE_URL with https://, so that logins "
                "and one-click unsubscribe work (RFC 8058)."
            ),
            warning=True,
        )


def _database(now: datetime) -> Iterator[Finding]:
    db.session.execute(select(1))
    yield Finding("database", _("%(database)s answers.", database=db.engine.dialect.name))
    if db.engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < SOUND_SQLITE:
        yield Finding(
            "database",
            _(
                "SQLite %(version)s has a rare fault in its write-ahead log.",
                version=sqlite3.sqlite_version,
            ),
            _(
                "Use Python with SQLite %(version)s or newer, or PostgreSQL.",
                version=".".join(map(str, SOUND_SQLITE)),
            ),
            warning=True,
        )


def _migrations(now: datetime) -> Iterator[Finding]:
    stands, head = schema.stands_at(db.session.connection()), schema.head()
    if stands == head:
        yield Finding("migrations", _("The database stands at %(head)s.", head=head))
    else:
        yield Finding(
            "migrations",
            _(
                "The database stands at %(stands)s, this version needs %(head)s.",
                stands=stands or "—",
                head=head,
            ),
            _("Run: flask --app wsgi db upgrade"),
        )


def _triggers(now: datetime) -> Iterator[Finding]:
    missing = append_only.triggers(db.engine.dialect.name) - schema.triggers(
        db.session.connection()
    )
    if not missing:
        yield Finding("triggers", _("The ledger and its neighbours refuse changes."))
    else:
        yield Finding(
            "triggers",
            _(
                "Missing: %(triggers)s. Booked money could be changed.",
                triggers=", ".join(sorted(missing)),
            ),
            _(
                "Somebody dropped them by hand. Compare the ledger with the last backup, then lay "
                "them again with the statements of migrations/versions/0007_append_only.py."
            ),
        )


def _keys(now: datetime) -> Iterator[Finding]:
    known = {name for name, _key in settings().data_keys}
    others = [select(row.sealed) for row in (MailHook, MailTransport, SigningKey)]
    sealed = db.session.scalars(select(WebhookSecret.sealed).union_all(*others))
    lost = {key_id(one) for one in sealed} - known
    if lost:
        yield Finding(
            "keys",
            _("Stored secrets were encrypted with %(keys)s.", keys=", ".join(sorted(lost))),
            _("Add that key to DATA_KEYS again, or set up those webhooks anew."),
        )
    newest = select(Donor).where(Donor.address.is_not(None)).order_by(Donor.id.desc()).limit(1)
    donor = db.session.scalar(newest)
    if donor and donor.address_hash != address_hash(settings().address_pepper, donor.address or ""):
        yield Finding(
            "keys",
            _("ADDRESS_PEPPER is not the one this database was filled with."),
            _("Put the old one back at once: suppressed addresses are not recognised without it."),
        )
    elif not lost:
        yield Finding("keys", _("Secrets and addresses fit the keys."))


def _history(now: datetime) -> Iterator[Finding]:
    for timeline in standstill.unconfirmed():
        yield Finding(
            "history",
            _(
                "The database was set back; noticed on %(moment)s UTC.",
                moment=f"{timeline.began_at:%Y-%m-%d %H:%M}",
            ),
            _("Mailings stand still. Staff who may send find on their first page what to do."),
            warning=True,
        )


def _clock(now: datetime) -> Iterator[Finding]:
    theirs = clock() or now
    beaten = db.session.scalar(select(func.max(Pulse.at)))
    ahead = abs(now - theirs)
    if ahead > CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            _(
                "This machine and the database are %(seconds)s s apart.",
                seconds=round(ahead.total_seconds()),
            ),
            _("Let both set their clocks by NTP."),
        )
    elif beaten and beaten - now > CLOCK_TOLERANCE:
        yield Finding(
            "clock",
            _(
                "The last beat is from %(moment)s UTC, which is still to come.",
                moment=f"{beaten:%Y-%m-%d %H:%M}",
            ),
            _("Some machine's clock is or was ahead. Set every clock by NTP."),
        )
    else:
        yield Finding(
            "clock",
            _("It is %(moment)s UTC, also for the database.", moment=f"{now:%Y-%m-%d %H:%M}"),
        )


def _due(now: datetime) -> Iterator[Finding]:
    late = due.late(due.oldest(now), now)
    if not late:
        yield Finding("due", _("No work that is due was left lying."))
    seen = {
        "deliveries": _("Letters are due since %(moment)s UTC."),
        "imports": _("The work of an import came no further since %(moment)s UTC."),
        "listings": _("Platforms are to be asked since %(moment)s UTC."),
        "notices": _("Notices wait to be booked since %(moment)s UTC."),
    }
    for name, since in late.items():
        yield Finding(
            "due",
            seen[name] % {"moment": f"{since:%Y-%m-%d %H:%M}"},
            _(
                "See that beat and the worker of the queue %(queue)s run, and what the log says.",
                queue=_QUEUES[name],
            ),
        )


_QUEUES = {"deliveries": "post", "imports": "import", "listings": "poll", "notices": "book"}


_LOOKS: dict[str, Look] = {
    "triggers": _triggers,
    "keys": _keys,
    "history": _history,
    "clock": _clock,
    "due": _due,
    "proxy": outside.led,
    "mailbox": outside.mailbox,
    "signing": outside.signatures,
}
