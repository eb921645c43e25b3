"""Turns: of two doors that book what is about one donation, the second waits for the first."""

from collections.abc import Collection

from sqlalchemy import text

from campaigns.db import db

# Donations share so many locks, since a file may be about more of them at once than there is room
# for locks. The first number tells these locks from any others.
TURNS = 256
_TURN = f"abs(hashtext(source || ' ' || regards) % {TURNS})"
# In one order, so that two who take several never wait for each other in a ring.
_LOCK = f"""
SELECT pg_advisory_xact_lock(22091, turn) FROM (
    SELECT DISTINCT {_TURN} AS turn FROM ({{about}}) about ORDER BY turn
) turns
"""  # noqa: S608
_GIVEN = text(
    _LOCK.format(
        about="SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:regards AS text[]))"
        " AS given (source, regards)"
    )
)
_ROWS = text(
    _LOCK.format(
        about="SELECT :source AS source, regards FROM import_rows WHERE import_id = :id"
        " AND position >= :first AND position < :last AND regards IS NOT NULL"
    )
)


def take(source: str, regards: str) -> None:
    """Until the transaction ends nobody else books what is about this donation.

    Refunds and fees that are alike need no number in common (`twins.of`), and what is missing of a
    sum has none (`refunds`), so no unique key keeps doors apart. On SQLite a transaction that
    writes is the only one anyway.
    """
    take_all([(source, regards)])


def take_all(about: Collection[tuple[str, str]]) -> None:
    """`take` for several donations, each a source and a number, before any of it is booked."""
    if about and db.engine.dialect.name == "postgresql":
        sources, regards = (list(column) for column in zip(*about, strict=True))
        db.session.execute(_GIVEN, {"sources": sources, "regards": regards})


def take_for_rows(import_id: int, source: str, first: int, last: int) -> None:
    """`take` for all the donations that an import's rows [first, last) are about."""
    if db.engine.dialect.name == "postgresql":
        given = {"id": import_id, "source": source, "first": first, "last": last}
        db.session.execute(_ROWS, given)
