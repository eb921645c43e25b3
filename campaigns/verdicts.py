"""Verdicts: what each row of an import is to the ledger, asked for many rows at once."""

from campaigns import batches
from campaigns.platforms.base import N_

SEVERAL = N_("Its numbers are in the ledger as more than one movement.")
RETURNED = N_("It came again after its entry was taken back.")
OTHERWISE = N_("It is in the ledger with another amount or as another kind of money.")
KNOWN = N_("It is in the ledger.")
ALIKE = N_("The ledger has the same amount for the same donation, by a number of another sort.")
ABOVE = N_("The same movement stands further up in this file")
ABOVE_OTHERWISE = N_("One of its numbers stands further up in this file, with other money")
ABOVE_SEVERAL = N_("Its numbers stand further up in this file for more than one movement.")

# What an amount as stated becomes in the ledger (`bookings.signed`).
SIGNED = "CASE WHEN kind IN ('donation', 'match', 'payout') THEN amount ELSE -amount END"
_TAKEN_BACK = "EXISTS (SELECT 1 FROM entries back WHERE back.reverses = e.id)"

# Each look into the ledger is a subquery of one row, so that no planner can turn it round and read
# the ledger for a few rows of a file.
_BY_NUMBER = """
UPDATE import_rows SET entry_id = found.entry_id, verdict = found.verdict, reason = found.reason
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

_BY_LIKENESS = """
UPDATE import_rows SET verdict = 'ambiguous', reason = '{alike}', entry_id = ({like})
WHERE import_id = :id AND position >= :first AND position < :last
  AND verdict = 'new' AND decision IS NULL AND regards IS NOT NULL
  AND kind IN ('refund', 'chargeback', 'fee') AND ({like}) IS NOT NULL
"""
_LIKE = """
    SELECT min(e.id) FROM entries e
    WHERE e.regards = import_rows.regards AND e.source = :source AND e.reverses IS NULL
      AND e.kind = import_rows.kind AND e.currency = import_rows.currency
      AND e.amount = -import_rows.amount AND NOT {taken_back} AND NOT EXISTS (
        SELECT 1 FROM entry_keys k WHERE k.entry_id = e.id AND ({shared}))"""

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


def judge(import_id: int, source: str, first: int, last: int, which: str) -> None:
    """Compare the rows of [first, last) that fulfil the SQL condition `which` with the ledger.

    Those that it knows by any number get the verdict and the entry; a refund or fee that is like
    one known only by numbers of another sort becomes ambiguous, so that nothing is booked twice by
    itself. What the ledger does not know keeps its verdict. May be repeated.
    """
    for sql in (_by_number(which), _by_likeness()):
        batches.run(sql, id=import_id, source=source, first=first, last=last)


def follow(import_id: int, source: str, first: int, last: int) -> None:
    """Place refunds and fees that name no listing where the donation is that they are about."""
    batches.run(_AT_ITS_DONATION, id=import_id, source=source, first=first, last=last)


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


def _by_likeness() -> str:
    shared = " OR ".join(
        f"k.scheme = '{scheme}' AND import_rows.{column} IS NOT NULL"
        for scheme, column in batches.NUMBERS.items()
    )
    like = _LIKE.format(taken_back=_TAKEN_BACK, shared=shared)
    return _BY_LIKENESS.format(alike=ALIKE, like=like)
