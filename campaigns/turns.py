"""Turns: of two doors that book refunds of one donation at once, the second waits for the first."""

from sqlalchemy import text

from campaigns.db import db

# Donations share so many locks, since a file may refund more of them at once than there is room
# for locks. The first number tells these locks from any others.
TURNS = 256
_TURN = f"abs(hashtext(:source || ' ' || {{regards}}) % {TURNS})"
_LOCK = "SELECT pg_advisory_xact_lock(22091, {turn})"
_ONE = text(_LOCK.format(turn=_TURN.format(regards=":regards")))
# In one order, so that two imports never wait for each other in a ring.
_ROWS = text(f"""
{_LOCK.format(turn="turn")} FROM (
    SELECT DISTINCT {_TURN.format(regards="regards")} AS turn FROM import_rows
    WHERE import_id = :id AND position >= :first AND position < :last
      AND regards IS NOT NULL AND kind IN ('refund', 'chargeback')
    ORDER BY turn
) turns
""")  # noqa: S608


def take(source: str, regards: str) -> None:
    """Until the transaction ends nobody else books a refund of this donation.

    Refunds that are alike need no number in common (`twins.of`), and what is missing of a sum
    has none (`refunds`), so no unique key keeps doors apart. On SQLite a transaction that writes is
    the only one anyway.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(_ONE, {"source": source, "regards": regards})


def take_for_rows(import_id: int, source: str, first: int, last: int) -> None:
    """`take` for all the donations that refunds among an import's rows [first, last) are of."""
    if db.engine.dialect.name == "postgresql":
        given = {"id": import_id, "source": source, "first": first, "last": last}
        db.session.execute(_ROWS, given)
