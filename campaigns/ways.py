"""Ways out: the transports that letters may go by just now, from rows or from the settings."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from campaigns import allowances
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.mail.relay import BadRelay, Relay
from campaigns.mail.smtp import Patience, SmtpTransport
from campaigns.mail.transport import Transport, Unreachable
from campaigns.mail.way import way_out
from campaigns.model.transport import MailTransport
from config import settings

log = logging.getLogger(__name__)
# For a look at whether a relay answers at all.
BRIEF = Patience(connect=5, reply=5, dot=5)


@dataclass(frozen=True)
class Way:
    """One transport as an office uses it. Without an id it is of no row: the settings' own."""

    transport: Transport
    name: str
    id: int | None = None
    rank: int = 1
    share: int = 1
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    rests_until: datetime | None = field(default=None, compare=False)

    @property
    def scope(self) -> str:
        """What draws for it are counted under."""
        return f"transport:{self.id}"


def seed() -> Way:
    """What SMTP_URL names, or the outbox: all there is as long as there are no rows."""
    transport = way_out(settings().smtp_url, settings().instance_dir)
    return Way(transport, transport.name)


def out() -> list[Way]:
    """Those that are not paused, in order. One whose secret cannot be opened is left out."""
    rows = db.session.scalars(
        select(MailTransport).order_by(MailTransport.rank, MailTransport.id)
    ).all()
    if not rows:
        return [seed()]
    found = []
    for row in rows:
        if not row.paused:
            try:
                found.append(of(row))
            except Undecryptable as error:
                log.error("The transport %s cannot be used: %s", row.name, error)
    return found


def of(row: MailTransport) -> Way:
    """Raises `Undecryptable`."""
    transport = SmtpTransport(Relay.parse(row.unsealed(settings().data_keys).decode()))
    return Way(transport, row.name, row.id, row.rank, row.share, row.limits, row.rests_until)


def tried() -> Iterator[tuple[str, bool, str | None]]:
    """Connect by each: its name, whether it is the settings' own, and what is wrong with it.

    While the database is away it is the settings' that is tried.
    """
    try:
        found = _found()
    except BadRelay as error:
        yield "SMTP_URL", True, str(error)
        return
    for way in found:
        transport = way.transport
        if isinstance(transport, SmtpTransport):
            transport = replace(transport, patience=BRIEF)
        trouble = None
        try:
            transport.connect().close()
        except Unreachable as error:
            trouble = str(error)
        yield way.name, way.id is None, trouble


def _found() -> list[Way]:
    try:
        return out()
    except SQLAlchemyError:
        db.session.rollback()
        return [seed()]


def rooms(ways: list[Way], now: datetime) -> dict[Way, int]:
    """How many letters each may get now; those with limits are held until the transaction ends."""
    ids = [way.id for way in ways if way.id is not None and way.limits]
    if ids:
        held = select(MailTransport.id).where(MailTransport.id.in_(ids)).order_by(MailTransport.id)
        db.session.execute(held.with_for_update()).all()
    found = allowances.rooms({way.scope: way.limits for way in ways}, now)
    return {way: found[way.scope] for way in ways}


def draw(drawn: Mapping[Way, int], now: datetime) -> None:
    """Count letters that were claimed for them."""
    numbers = {way.scope: number for way, number in drawn.items()}
    allowances.draw(numbers, {way.scope: way.limits for way in drawn}, now)


def note(way: Way, trouble: str | None, rests_until: datetime | None) -> None:
    """Say for everybody to see why it rests and until when; None that it works again."""
    db.session.execute(
        update(MailTransport)
        .where(MailTransport.id == way.id)
        .values(trouble=trouble and trouble[:300], rests_until=rests_until)
        .execution_options(synchronize_session=False)
    )
