"""Verdicts: what each row of an import is to the ledger, asked for many rows at once."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text

from campaigns import batches, twins
from campaigns.db import db
from campaigns.platforms.base import N_

SEVERAL = N_("Its numbers are in the ledger as more than one movement.")
RETURNED = N_("It came again after its entry was taken back.")
OTHERWISE = N_("It is in the ledger with another amount or as another kind of money.")
KNOWN = N_("It is in the ledger.")
TWIN = N_("It is in the ledger, by a number of another sort.")
ALIKE = N_("It may be in the ledger, by a number of another sort.")
ABOVE = N_("The same movement stands further up in this file")
ABOVE_OTHERWISE = N_("One of its numbers stands further up in this file, with other money")
ABOVE_SEVERAL = N_("Its numbers stand further up in this file for more than one movement.")

# What an amount as stated becomes in the ledger (`bookings.signed`).
SIGNED = "CASE WHEN kind IN ('donation', 'match', 'payout') THEN amount ELSE -amount END"
_TAKEN_BACK = "EXISTS (SELECT 1 FROM entries back WHERE back.reverses = e.id)"

# Each look into the ledger is a subquery of one row, so that no planner can turn it round and read
# the ledger for a few rows of a file.
_BY_NUMBER = """
UPDATE import_rows SET entry_id = found.entry_id, verdict = found.verdict, reason = found.reason,
    turned_at = CASE WHEN found.verdict <> 'booked' THEN :turned END
FROM (
    SELECT met.position,
        CASE WHEN met.entries = 1 THEN e.id END AS entry_id,
        CASE WHEN met.entries > 1 THEN 'ambiguous'
             WHEN {taken_back} THEN 'differs'
             WHEN {same} THEN 'booked' ELSE 'differs' END AS verdict,
        CASE WHEN met.entries > 1 THEN '{several}'
             WHEN {taken_back} THEN '{returned}'
             WHEN {same} THEN '{known}' ELSE '{otherwise}' END AS reason
    FROM (
        SELECT position, count(DISTINCT entry_id) AS entries, min(entry_id) AS entry_id
        FROM (
            SELECT u.position, (
                SELECT k.entry_id FROM entry_keys k
                WHERE k.source = :source AND k.scheme = u.scheme AND k.value = u.value) AS entry_id
            FROM ({numbers}) u
        ) looked
        WHERE entry_id IS NOT NULL
        GROUP BY position
    ) met
    CROSS JOIN entries e
    CROSS JOIN import_rows r
    WHERE e.id = met.entry_id AND r.import_id = :id AND r.position = met.position
) found
WHERE import_rows.import_id = :id AND import_rows.position = found.position
  AND import_rows.position >= :first AND import_rows.position < :last
"""
_SAME = (
    "e.kind = r.kind AND e.currency = r.currency AND e.amount = "
    "CASE WHEN r.kind IN ('donation', 'match', 'payout') THEN r.amount ELSE -r.amount END"
)

# What `twins.of` says, for rows: in the ledger by numbers of another sort, or perhaps so. Of
# two rows that are one such entry the first is: they have each a number of one sort.
_BY_LIKENESS = """
UPDATE import_rows SET entry_id = found.entry_id, verdict = found.verdict, reason = found.reason,
    turned_at = CASE WHEN found.verdict <> 'booked' THEN :turned END
FROM (
    SELECT looked.position,
        CASE WHEN close = 1 THEN one ELSE alike END AS entry_id,
        CASE WHEN close <> 1 THEN 'ambiguous' WHEN {taken_back} THEN 'differs'
             ELSE 'booked' END AS verdict,
        CASE WHEN close <> 1 THEN '{alike}' WHEN {taken_back} THEN '{returned}'
             ELSE '{twin}' END AS reason
    FROM (
        SELECT looked.*, row_number() OVER (
            PARTITION BY CASE WHEN close = 1 THEN one END ORDER BY position) AS turn
        FROM (
            SELECT r.position, (SELECT count(*) {like} AND {close}) AS close,
                (SELECT min(e.id) {like} AND {close}) AS one,
                COALESCE((SELECT min(e.id) {like}), (SELECT min(e.id) {a_sum})) AS alike
            FROM import_rows r
            WHERE r.import_id = :id AND r.position >= :first AND r.position < :last
              AND r.verdict = 'new' AND r.decision IS NULL AND r.regards IS NOT NULL
              AND r.kind IN ({about_another}) AND ({which})
        ) looked
    ) looked
    LEFT JOIN entries e ON e.id = looked.one
    WHERE alike IS NOT NULL AND (turn = 1 OR close <> 1)
) found
WHERE import_rows.import_id = :id AND import_rows.position = found.position
  AND import_rows.position >= :first AND import_rows.position < :last
"""
# The plus keeps planners from looking through all that reverses nothing, which is the ledger.
_ABOUT = """
    FROM entries e
    WHERE e.regards = r.regards AND e.source = :source AND +e.reverses IS NULL AND e.kind = r.kind
      AND e.currency = r.currency
      AND EXISTS (SELECT 1 FROM entry_keys k WHERE k.entry_id = e.id)"""
_LIKE = f"""{_ABOUT} AND e.amount = -r.amount
      AND NOT EXISTS (SELECT 1 FROM entry_keys k WHERE k.entry_id = e.id AND ({{shared}}))"""  # noqa: S608
_A_SUM = f"""{_ABOUT} AND e.amount < -r.amount AND e.door = 'webhook' AND NOT {_TAKEN_BACK}
      AND NOT EXISTS (
        SELECT 1 FROM entry_keys k WHERE k.entry_id = e.id AND k.scheme = 'refund' AND {{own}})"""  # noqa: S608
# A number of a refund that is more than its donation's (`twins.of`).
_OWN = (
    "k.value <> substr(r.regards, 7) AND substr(k.value, 1, length(r.regards) + 1) <> "
    "r.regards || ' '"
)
_OWN_OF_ROW = "r.refund <> substr(r.regards, 7)"
_CLOSE = {
    "sqlite": "abs(julianday(e.occurred_at) - julianday(r.occurred_at)) * 86400 <= {seconds}",
    "postgresql": "abs(extract(epoch FROM e.occurred_at - r.occurred_at)) <= {seconds}",
}
# What was alike may have got a number of this sort since.
_LOOK_AGAIN = f"""
UPDATE import_rows SET verdict = 'new', reason = NULL, entry_id = NULL
WHERE import_id = :id AND position >= :first AND position < :last
  AND verdict = 'booked' AND reason = '{TWIN}' AND decision IS NULL
"""  # noqa: S608
_CLAIMED = f"""
SELECT position FROM (
    SELECT position, row_number() OVER (PARTITION BY entry_id ORDER BY position) AS turn
    FROM import_rows WHERE import_id = :id AND verdict = 'booked' AND reason = '{TWIN}'
) claims WHERE turn > 1 ORDER BY position LIMIT 1000
"""  # noqa: S608

_AT_ITS_DONATION = """
UPDATE import_rows SET
    listing_id = (
        SELECT e.listing_id FROM entry_keys k CROSS JOIN entries e
        WHERE k.source = :source AND k.scheme = 'trade' AND k.value = substr(import_rows.regards, 7)
          AND e.id = k.entry_id),
    campaign_id = (
        SELECT e.campaign_id FROM entry_keys k CROSS JOIN entries e
        WHERE k.source = :source AND k.scheme = 'trade' AND k.value = substr(import_rows.regards, 7)
          AND e.id = k.entry_id)
WHERE import_id = :id AND position >= :first AND position < :last
  AND listing_id IS NULL AND kind IS NOT NULL AND regards LIKE 'trade:%'
"""


def judge(
    import_id: int,
    source: str,
    first: int,
    last: int,
    which: str,
    turned: datetime | None = None,
) -> None:
    """Compare the rows of [first, last) that fulfil the SQL condition `which` with the ledger.

    Those that it knows by any number get the verdict and the entry, and so does a refund or fee
    that is known by numbers of another sort only; where that is not sure it is ambiguous, so that
    nothing is booked twice by itself. What the ledger does not know keeps its verdict. Those
    that it contradicts at the moment `turned`, when nobody looks any more, wait for a person. May
    be repeated.
    """
    batches.run(_LOOK_AGAIN, id=import_id, first=first, last=last)
    for sql in (_by_number(which), _by_likeness(which)):
        batches.run(sql, id=import_id, source=source, first=first, last=last, turned=turned)


def disclaim(import_id: int) -> Iterator[None]:
    """Of the rows that are one entry by likeness only the first is it: the others are new.

    They have each a number of one sort. Pauses between pieces, for whoever asks to commit.
    """
    while positions := _claiming(import_id):
        for position in positions:
            batches.run(_LOOK_AGAIN, id=import_id, first=position, last=position + 1)
        yield


def follow(import_id: int, source: str, first: int, last: int) -> None:
    """Place refunds and fees that name no listing where the donation is that they are about."""
    batches.run(_AT_ITS_DONATION, id=import_id, source=source, first=first, last=last)


def _claiming(import_id: int) -> list[int]:
    """On a connection of its own that only reads, so that nobody waits for it."""
    engine = db.engine.execution_options(reading=True, postgresql_readonly=True)
    with engine.connect() as connection:
        return list(connection.execute(text(_CLAIMED), {"id": import_id}).scalars())


def _by_number(which: str) -> str:
    return _BY_NUMBER.format(
        numbers=batches.numbers(which),
        taken_back=_TAKEN_BACK,
        same=_SAME,
        several=SEVERAL,
        returned=RETURNED,
        known=KNOWN,
        otherwise=OTHERWISE,
    )


def _by_likeness(which: str) -> str:
    shared = " OR ".join(
        f"k.scheme = '{scheme}' AND r.{column} IS NOT NULL"
        + (f" AND {_OWN} AND {_OWN_OF_ROW}" if scheme == "refund" else "")
        for scheme, column in batches.NUMBERS.items()
    )
    close = _CLOSE[db.engine.dialect.name].format(seconds=twins.CLOSE.total_seconds())
    return _BY_LIKENESS.format(
        like=_LIKE.format(shared=shared),
        a_sum=_A_SUM.format(own=_OWN),
        close=close,
        which=which,
        taken_back=_TAKEN_BACK,
        about_another=", ".join(f"'{kind}'" for kind in twins.ABOUT_ANOTHER),
        alike=ALIKE,
        twin=TWIN,
        returned=RETURNED,
    )
