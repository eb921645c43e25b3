"""Domains of recipients: those with limits, and those that asked us to come more slowly."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, select

from campaigns import allowances
from campaigns.db import db
from campaigns.db import insert as upsert
from campaigns.model.transport import MailDomain

# What a relay says that wants us to come later (RFC 5321 §4.2.2), by domain or as a whole.
LATER = frozenset({421, 451})
# The distance between letters to a domain that said so: doubled each time, halved by each letter
# that it takes.
FIRST_GAP, LONGEST_GAP = timedelta(seconds=1), timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
SOON = timedelta(seconds=5)
_MS = timedelta(milliseconds=1)
_DOMAINS = cast(Table, MailDomain.__table__)


@dataclass(frozen=True, slots=True)
class Fared:
    """How a letter to a domain fared: whether it was taken, and the reply's code."""

    domain: str
    taken: bool
    code: int | None
    at: datetime


def watched() -> frozenset[str]:
    """The domains that `Gate` has something to say about. Only reads."""
    return frozenset(db.session.scalars(select(MailDomain.name)))


def scope(domain: str) -> str:
    """What draws for a domain are counted under."""
    return f"domain:{domain}"


class Gate:
    """Says of each letter that is about to be claimed whether its domain may have it now.

    It holds every row of domains until the transaction ends, so that two processes count one after
    the other; `also` are domains that get a row. Nothing is kept before `keep`. `soon` is when the
    last of those letters opens that are worth waiting for.
    """

    def __init__(self, now: datetime, also: Collection[str] = ()) -> None:
        self._now = now
        self._rows = _held(also)
        limited = {scope(name): row.limits for name, row in self._rows.items()}
        self._limits = limited
        self._rooms = allowances.rooms(limited, now)
        self._drawn: dict[str, int] = {}
        self._waits: dict[str, int] = {}
        self.soon: datetime | None = None

    def learn(self, fared: Iterable[Fared]) -> None:
        """Slow down for domains that said so, and come faster to those that take letters again."""
        for one in fared:
            row = self._rows.get(one.domain)
            if row is not None and one.code in LATER and not one.taken:
                _slow(row, one.at)
            elif row is not None and one.taken and row.slowed_at and row.slowed_at < one.at:
                row.gap_ms = row.gap_ms // 2 if row.gap_ms * _MS > FIRST_GAP else 0

    def opens(self, domain: str) -> datetime | None:
        """None if a letter may go now, which counts it; else when to look at it again.

        Each further one of a domain that is closed gets a later moment.
        """
        row = self._rows.get(domain)
        if row is None:
            return None
        key, gap = scope(domain), row.gap_ms * _MS
        waits_until = row.next_at if gap and row.next_at and row.next_at > self._now else None
        if waits_until is None and self._rooms[key] > 0:
            self._rooms[key] -= 1
            self._drawn[key] = self._drawn.get(key, 0) + 1
            row.next_at = self._now + gap if gap else None
            return None
        apart = max(gap, allowances.interval(row.limits) if self._rooms[key] < 1 else gap)
        self._waits[domain] = nth = self._waits.get(domain, -1) + 1
        at = (waits_until or self._now + apart) + nth * apart
        at = min(at, self._now + LONGEST_WAIT)
        if at <= self._now + SOON:
            self.soon = max(at, self.soon or at)
        return at

    def keep(self) -> None:
        """Write down what was counted and learnt; a domain that is as others are loses its row."""
        allowances.draw(self._drawn, self._limits, self._now)
        db.session.flush()
        usual = [name for name, row in self._rows.items() if not row.gap_ms and not row.limits]
        if usual:
            db.session.execute(delete(MailDomain).where(MailDomain.name.in_(usual)))


def _held(also: Collection[str]) -> dict[str, MailDomain]:
    if also:
        new = [{"name": name, "gap_ms": 0} for name in sorted(also)]
        db.session.execute(upsert(_DOMAINS).on_conflict_do_nothing(), new)
    rows = select(MailDomain).order_by(MailDomain.name).with_for_update()
    found = db.session.scalars(rows.execution_options(populate_existing=True)).all()
    return {row.name: row for row in found}


def _slow(row: MailDomain, at: datetime) -> None:
    """Letters that were under way when it was slowed last say nothing new."""
    gap = row.gap_ms * _MS
    if row.slowed_at is not None and at < row.slowed_at + gap:
        return
    gap = min(max(2 * gap, FIRST_GAP), LONGEST_GAP)
    row.gap_ms, row.slowed_at, row.next_at = gap // _MS, at, at + gap
