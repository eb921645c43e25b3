"""Outcomes: write down what became of the letters that were claimed.

docs/decisions/0020-posting.md tells why claims, outcomes and leases look as they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, func, select, update

from campaigns import bulk, suppression
from campaigns.db import Id, Moment, db
from campaigns.mail import status
from campaigns.mail.status import Meaning
from campaigns.mail.transport import Outcome
from campaigns.mail.transport import State as Became
from campaigns.model.delivery import Claim, Delivery, DeliveryState
from campaigns.model.suppression import SuppressionCause

State = DeliveryState
_FIRST_DELAY, _LONGEST_DELAY, _GROWTH = 60.0, 4 * 3600.0, 3.0
_IN_DOUBT = frozenset({State.SENDING, State.UNKNOWN})

# Building a statement costs more than running it, so those of every turn are built once.
DELIVERIES = cast(Table, Delivery.__table__)
# Letters that stand as their claims left them, which is almost every one.
_END = """
UPDATE deliveries SET state = given.becomes, claimed_by = NULL, attempts = given.tries,
    settled_at = given.ended, due_at = coalesce(given.again_at, deliveries.due_at)
FROM {given}
WHERE deliveries.id = given.one AND deliveries.state = 'sending'
  AND deliveries.token_hash = given.hash
RETURNING deliveries.id, deliveries.address_hash
"""
_ENDS = {
    "one": "bigint",
    "hash": "text",
    "becomes": "text",
    "tries": "integer",
    "ended": "timestamptz",
    "again_at": "timestamptz",
}
_TRY = """
INSERT INTO attempts (delivery_id, at, transport, outcome, code, answer)
SELECT one, at, transport, outcome, code, answer FROM {given}
"""
_TRIES = {
    "one": "bigint",
    "at": "timestamptz",
    "transport": "text",
    "outcome": "text",
    "code": "integer",
    "answer": "text",
}
_SETTLE = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id == bindparam("one", type_=Id))
    .values(
        state=bindparam("becomes"),
        claimed_by=None,
        attempts=bindparam("tries"),
        settled_at=bindparam("ended"),
        due_at=func.coalesce(bindparam("again_at", type_=Moment()), DELIVERIES.c.due_at),
    )
)
_HELD = (
    select(
        Delivery.id,
        Delivery.state,
        Delivery.claimed_by,
        Delivery.token_hash,
        Delivery.address_hash,
    )
    .where(Delivery.id.in_(bindparam("ids", expanding=True)))
    .order_by(Delivery.id)
    .with_for_update()
)
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claim; without an outcome it was never offered to a relay."""

    claim: Claim
    outcome: Outcome | None
    transport: str
    at: datetime


def record(results: Sequence[Result], now: datetime) -> None:
    """Write down what became of claims, with an attempt each. The second time changes nothing.

    A claim is told by its token. One that was given up for dead meanwhile (`unknown`) is settled
    by what its process knows after all; one that staff settled keeps their word, unless the relay
    did take the letter, so that it is not sent again. A claim that another took over is left.
    """
    hashes = _end(results, now)
    tried = [(one, hashes[one.claim.id]) for one in results if one.claim.id in hashes]
    if late := [one for one in results if one.claim.id not in hashes]:
        tried += _settle(late, now)
    if attempts := [_attempt(one, one.outcome) for one, _ in tried if one.outcome is not None]:
        bulk.execute(_TRY, _TRIES, attempts)
    for result, address_hash in tried:
        _learn(result, address_hash, now)


def _end(results: Sequence[Result], now: datetime) -> dict[int, str]:
    """Settle letters that stand as their claims left them: ids and their addresses' hashes."""
    changes = [_change(one, now) | {"hash": one.claim.token_hash} for one in results]
    return {row.id: row.address_hash for row in bulk.execute(_END, _ENDS, changes)}


def _settle(results: Sequence[Result], now: datetime) -> list[tuple[Result, str]]:
    """What is left to say of letters that something else was done with meanwhile; those tried."""
    rows = _held([result.claim.id for result in results])
    changes, tried = [], []
    for result in results:
        row = rows.get(result.claim.id)
        change = _change(result, now)
        if row is None or (_is_of(row, result.claim) and row.state == change["becomes"]):
            continue
        if _is_of(row, result.claim) and row.state in _overruled(change["becomes"]):
            changes.append(change)
        if result.outcome is not None:
            tried.append((result, row.address_hash))
    if changes:
        db.session.execute(_SETTLE, changes)
    return tried


def _held(ids: Sequence[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    rows = db.session.execute(_HELD, {"ids": list(ids)})
    return {row.id: row for row in rows}


def _is_of(row: Row[*tuple[Any, ...]], claim: Claim) -> bool:
    """Whether the row still stands as this claim left it, or was settled since.

    A link that was used up in the meantime has no token any more; then the process tells.
    """
    if row.token_hash is None:
        return bool(row.claimed_by == claim.by)
    return bool(row.token_hash == claim.token_hash)


def _change(result: Result, now: datetime) -> dict[str, Any]:
    """What `_SETTLE` needs for the row after this result."""
    claim, outcome = result.claim, result.outcome
    change = {"one": claim.id, "tries": claim.attempts + 1, "ended": now, "again_at": None}
    if outcome is None:
        return change | {"becomes": State.QUEUED, "tries": claim.attempts, "ended": None}
    if outcome.state is Became.UNKNOWN:
        return change | {"becomes": State.UNKNOWN, "ended": None}
    if outcome.state is not Became.DEFERRED:
        return change | {"becomes": State(outcome.state)}
    again_at = now + _delay(claim.attempts)
    if again_at >= claim.expires_at:
        return change | {"becomes": State.EXPIRED}
    return change | {"becomes": State.DEFERRED, "ended": None, "again_at": again_at}


def _delay(attempts: int) -> timedelta:
    """One minute, then three, nine, up to four hours; a quarter more or less, so that letters
    refused together do not come back together."""
    seconds = min(_FIRST_DELAY * _GROWTH ** min(attempts, 10), _LONGEST_DELAY)
    return timedelta(seconds=seconds * _random.uniform(0.75, 1.25))


def _overruled(by: State) -> frozenset[State]:
    """The states that a late answer may still change."""
    return _IN_DOUBT | {State.FAILED} if by is State.SENT else _IN_DOUBT


def _attempt(result: Result, outcome: Outcome) -> dict[str, Any]:
    return {
        "one": result.claim.id,
        "at": result.at,
        "transport": result.transport[:64],
        "outcome": State(outcome.state),
        "code": outcome.code,
        "answer": outcome.answer[:500],
    }


def _learn(result: Result, address_hash: str, now: datetime) -> None:
    """A relay that knows of no such address suppresses it, as a hard bounce does."""
    told = result.outcome
    if told is None or told.state is not Became.FAILED:
        return
    if status.refusal(status.enhanced(told.answer)) is Meaning.HARD:
        cause = SuppressionCause.BOUNCED
        suppression.suppress(address_hash, cause, now, result.claim.id)
