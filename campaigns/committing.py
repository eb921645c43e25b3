"""Committing: an import's entries, written in batches and then counted in one short transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError, OperationalError

from campaigns import audit, batches, donors, sums, totals, turns, verdicts
from campaigns.batches import Clock, Pace
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import Import, ImportState
from campaigns.model.staff import Staff
from campaigns.platforms.base import N_

GIFTS = cast(Table, Gift.__table__)
DEADLOCK = "40P01"
REFUSED = N_("The ledger refuses the row as it stands.")
FELL = N_("An imported file has more refunds than donations.")


def book(import_id: int, pace: Pace, clock: Clock) -> Iterator[None]:
    """Write an import's entries, go on from where it stands; whoever asks commits after each batch.

    Ends with the import committed and counted. Killed at any moment and called again it goes on
    behind the last batch. What another door books meanwhile is known to the ledger then, or its
    unique numbers refuse ours and the batch is judged again. Raises `batches.Overtaken` where
    another worker did a batch.
    """
    work = _Work.of(import_id)
    at = work.position
    while at < work.rows:
        last = min(at + pace.rows, work.rows)
        try:
            pace.begin()
            _batch(work, at, last, clock())
        except (IntegrityError, OperationalError) as error:
            db.session.rollback()
            if not (isinstance(error, IntegrityError) or _in_a_ring(error)):
                raise
            if last - at > 1 or not pace.stumbled():
                pace.falter()
                continue
            _refuse(work, at, clock())
        yield
        at = last
    added = sums.of_entries(import_id)
    _count(work, added, clock())
    yield


@dataclass(frozen=True)
class _Work:
    """What the batches need to know of their import."""

    id: int
    source: str
    rows: int
    position: int
    by: int | None
    planned: str
    said: str

    @classmethod
    def of(cls, import_id: int) -> "_Work":
        one = db.session.get_one(Import, import_id, populate_existing=True)
        said = batches.decided(one.decisions)
        work = cls(
            one.id,
            one.source,
            one.rows,
            one.position,
            one.committed_by,
            batches.planned(one.decisions),
            said,
        )
        db.session.rollback()
        return work


def _batch(work: _Work, first: int, last: int, now: datetime) -> None:
    batches.by_probes()
    batches.advance(work.id, ImportState.COMMITTING, first, last, now)
    turns.take_for_rows(work.id, work.source, first, last)
    verdicts.follow(work.id, work.source, first, last)
    candidates = (
        f"COALESCE({work.said}, 'take') = 'take' AND"
        f" (verdict IN ('new', 'booked') OR {work.said} = 'take')"
    )
    verdicts.judge(work.id, work.source, first, last, candidates, turned=now)
    known = (
        f"verdict = 'booked' AND entry_id IS NOT NULL AND COALESCE({work.said}, 'take') = 'take'"
    )
    here = {"id": work.id, "first": first, "last": last}
    batches.run(
        _ENTRIES.format(planned=work.planned), **here, source=work.source, now=now, by=work.by
    )
    became = f"({_BECAME.format(position='import_rows.position')})"
    for sql, numbers in (
        (_KEYS, batches.numbers(work.planned, became)),
        (_MORE_KEYS, batches.numbers(known)),
    ):
        batches.run(sql.format(numbers=numbers), **here, source=work.source)
    batches.run(_NAMELESS_GIFTS, **here)
    _gifts_of_donors(here, now)


_ENTRIES = f"""
INSERT INTO entries (kind, stage, amount, currency, donations, campaign_id, listing_id, source,
    occurred_at, day, booked_at, door, staff_id, import_id, import_row, regards)
SELECT kind, CASE WHEN kind = 'match' THEN 'confirmed' END, {verdicts.SIGNED}, currency, donations,
    campaign_id, listing_id, :source, occurred_at, day, :now, 'file', :by, import_id, position,
    regards
FROM import_rows
WHERE import_id = :id AND position >= :first AND position < :last AND {{planned}}
ORDER BY position
"""  # noqa: S608
_BECAME = """
    SELECT e.id FROM entries e
    WHERE e.import_id = :id AND e.import_row = {position} AND e.reverses IS NULL"""
_KEYS = """
INSERT INTO entry_keys (source, scheme, value, entry_id)
SELECT :source, u.scheme, u.value, u.entry_id FROM ({numbers}) u
ORDER BY u.position, u.scheme
"""
_MORE_KEYS = """
INSERT INTO entry_keys (source, scheme, value, entry_id)
SELECT :source, u.scheme, u.value, u.entry_id
FROM ({numbers}) u
WHERE NOT EXISTS (
    SELECT 1 FROM entry_keys k
    WHERE k.source = :source AND k.scheme = u.scheme AND k.value = u.value)
ORDER BY u.position, u.scheme
ON CONFLICT DO NOTHING
"""
_GIVEN = f"""
SELECT entry_id, name, message, address_hash, email FROM (
    SELECT g.*, ({_BECAME.format(position="g.position")} AND e.kind = 'donation') AS entry_id
    FROM import_givers g
    WHERE g.import_id = :id AND g.position >= :first AND g.position < :last
) given
WHERE entry_id IS NOT NULL AND address_hash IS {{hashed}}
"""  # noqa: S608
_NAMELESS_GIFTS = f"""
INSERT INTO gifts (entry_id, public_name, show_name, message, moderation)
SELECT entry_id, name, false, message, 'waiting' FROM ({_GIVEN.format(hashed="NULL")}) nameless
"""  # noqa: S608
_GIVEN_BY_DONORS = _GIVEN.format(hashed="NOT NULL")


def _gifts_of_donors(here: dict[str, int], now: datetime) -> None:
    """Gifts with an address make or find the donor; no thanks are sent and nothing is agreed to."""
    rows = batches.run(_GIVEN_BY_DONORS, **here).all()
    people = {row.address_hash: (Address.parse(row.email).text, row.name) for row in rows}
    ids = donors.at_or_new_many(people, now)
    if rows:
        db.session.execute(
            GIFTS.insert(),
            [
                {
                    "entry_id": row.entry_id,
                    "donor_id": ids[row.address_hash],
                    "public_name": row.name,
                    "show_name": False,
                    "message": row.message,
                    "moderation": Moderation.WAITING,
                }
                for row in rows
            ],
        )


def _count(work: _Work, added: list[totals.Sum], now: datetime) -> None:
    """Let the entries count: add the totals, which were summed before, and say so."""
    with sums.corrections(added, FELL, now, work.by):
        batches.finish(
            work.id,
            ImportState.COMMITTING,
            work.rows,
            ImportState.COMMITTED,
            now,
            counted_at=now,
        )
        totals.add_sums(added)
    one = db.session.get_one(Import, work.id, populate_existing=True)
    by = db.session.get(Staff, work.by) if work.by is not None else None
    entries = sum(one.entries for one in added)
    audit.record("counted import", one, now, by=by, changes={"entries": (None, entries)})


def _in_a_ring(error: OperationalError) -> bool:
    """Whether we and another door waited for each other, and the database let ours go."""
    return getattr(error.orig, "sqlstate", None) == DEADLOCK


def _refuse(work: _Work, at: int, now: datetime) -> None:
    """Leave out the one row that the database will not have, so that the import can end."""
    batches.advance(work.id, ImportState.COMMITTING, at, at + 1, now)
    batches.run(_UNREADABLE, id=work.id, first=at, reason=REFUSED)


_UNREADABLE = """
UPDATE import_rows SET verdict = 'unreadable', reason = :reason
WHERE import_id = :id AND position = :first
"""
