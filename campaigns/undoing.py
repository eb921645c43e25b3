"""Undoing: an import's entries taken back in batches, counted at once, their numbers released."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.exc import IntegrityError

from campaigns import audit, batches, sums, totals
from campaigns.batches import Clock, Pace
from campaigns.db import db
from campaigns.model.imported import Import, ImportState
from campaigns.model.staff import Staff


def take_back(import_id: int, pace: Pace, clock: Clock) -> Iterator[None]:
    """Undo an import, go on from where it stands; whoever asks commits after each batch.

    First come the reversals, which do not count yet; then one short transaction lets them count;
    then the numbers are released. What was corrected by hand meanwhile stays as it is, with its
    numbers. Money that arrives between the first and the last finds its number at an entry that
    was taken back, and waits for a person. Killed at any moment and called again it goes on.
    """
    one = db.session.get_one(Import, import_id, populate_existing=True)
    undone, rows = one.undone_at is not None, one.rows
    at, by, reason = one.position, one.undone_by, one.undo_reason or ""
    db.session.rollback()
    if not undone:
        given: dict[str, Any] = {"id": import_id, "by": by, "reason": reason, "now": clock()}
        yield from _in_batches(import_id, at, rows, _REVERSALS, given, pace, clock)
        _count(import_id, rows, by, reason, clock)
        yield
        at = 0
    given = {"id": import_id}
    yield from _in_batches(import_id, at, rows, _RELEASE, given, pace, clock)
    batches.finish(import_id, ImportState.UNDOING, rows, ImportState.UNDONE, clock())
    yield


def _in_batches(
    import_id: int,
    at: int,
    rows: int,
    statement: str,
    given: dict[str, Any],
    pace: Pace,
    clock: Clock,
) -> Iterator[None]:
    while at < rows:
        last = min(at + pace.rows, rows)
        pace.begin()
        batches.by_probes()
        batches.advance(import_id, ImportState.UNDOING, at, last, clock())
        try:
            batches.run(statement, **given, first=at, last=last)
        except IntegrityError:
            # Somebody corrected one of the entries at this very moment; they are seen next time.
            db.session.rollback()
            continue
        yield
        at = last


def _count(import_id: int, rows: int, by: int | None, reason: str, clock: Clock) -> None:
    taken = sums.of_entries(import_id, reversals=True)
    now = clock()
    with sums.corrections(taken, reason, now, by):
        batches.advance(import_id, ImportState.UNDOING, rows, 0, now, undone_at=now)
        totals.add_sums(taken)
    one = db.session.get_one(Import, import_id, populate_existing=True)
    staff = db.session.get(Staff, by) if by is not None else None
    entries = sum(some.entries for some in taken)
    audit.record("undid import", one, now, by=staff, changes={"entries": (entries, None)})


_REVERSALS = """
INSERT INTO entries (kind, stage, amount, currency, donations, campaign_id, listing_id, source,
    occurred_at, day, booked_at, door, staff_id, import_id, import_row, reverses, regards, reason)
SELECT e.kind, e.stage, -e.amount, e.currency, -e.donations, e.campaign_id, e.listing_id, e.source,
    e.occurred_at, e.day, :now, 'hand', :by, e.import_id, e.import_row, e.id, e.regards, :reason
FROM entries e
WHERE e.import_id = :id AND e.import_row >= :first AND e.import_row < :last
  AND e.reverses IS NULL AND NOT EXISTS (SELECT 1 FROM entries b WHERE b.reverses = e.id)
ORDER BY e.import_row
"""
# From rows to entries to numbers, each by an index of its own: SQLite would else read the ledger.
_RELEASE = """
DELETE FROM entry_keys WHERE entry_id IN (
    SELECT e.id FROM import_rows r CROSS JOIN entries e
    WHERE r.import_id = :id AND r.position >= :first AND r.position < :last
      AND e.import_id = :id AND e.import_row = r.position
      AND e.reverses IS NULL AND EXISTS (
        SELECT 1 FROM entries b WHERE b.reverses = e.id AND b.import_id = :id))
"""
