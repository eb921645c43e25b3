"""Outcomes: write down what became of the letters that were claimed.

docs/decisions/0020-posting.md tells why claims, outcomes and leases look as they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, func, insert, select, update

from campaigns import suppression
from campaigns.db import Id, Moment, db
from campaigns.mail import status
from campaigns.mail.status import Meaning
from campaigns.mail.transport import Outcome
from campaigns.mail.transport import State as Became
from campaigns.model.delivery import Attempt, Claim, Delivery, DeliveryState
from campaigns.model.suppression import SuppressionCause

State = DeliveryState
_FIRST_DELAY, _LONGEST_DELAY, _GROWTH = 60.0, 4 * 3600.0, 3.0
_IN_DOUBT = frozenset({State.SENDING, State.UNKNOWN})

# Building a statement costs more than running it, so those of every turn are built once.
DELIVERIES = cast(Table, Delivery.__table__)
ATTEMPTS = cast(Table, Attempt.__table__)
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
    rows = _held([result.claim.id for result in results])
    changes, attempts = [], []
    for result in results:
        row = rows.get(result.claim.id)
        change = _change(result, now)
        if row is None or (_is_of(row, result.claim) and row.state == change["becomes"]):
            continue
        if _is_of(row, result.claim) and row.state in _overruled(change["becomes"]):
            changes.append(change)
        if result.outcome is not None:
            attempts.append(_attempt(result, result.outcome))
            _learn(result, result.outcome, row.address_hash, now)
    if changes:
        db.session.execute(_SETTLE, changes)
    if attempts:
        db.session.execute(insert(ATTEMPTS), attempts)


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
        "delivery_id": result.claim.id,
        "at": result.at,
        "transport": result.transport[:64],
        "outcome": State(outcome.state),
        "code": outcome.code,
        "answer": outcome.answer[:500],
    }


def _learn(result: Result, outcome: Outcome, address_hash: str, now: datetime) -> None:
    """A relay that knows of no such address suppresses it, as a hard bounce does."""
    said = status.refusal(status.enhanced(outcome.answer))
    if outcome.state is Became.FAILED and said is Meaning.HARD:
        cause = SuppressionCause.BOUNCED
        suppression.suppress(address_hash, cause, now, result.claim.id)
