"""Claims: take due letters, record what became of them, and give up those of the dead.

docs/decisions/0020-posting.md tells why claims, outcomes and leases look as they do.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    case,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from campaigns import suppression
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.db import insert as upsert
from campaigns.mail.address import Address, Mailbox
from campaigns.mail.transport import Outcome
from campaigns.mail.transport import State as Became
from campaigns.model.delivery import LONGEST_TRIED, Attempt, Claim, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.pulse import Pulse
from campaigns.model.staff import Staff
from campaigns.model.suppression import SuppressionCause

State = DeliveryState
# How long a process may be silent before its claims count as those of a dead one.
LEASE = timedelta(seconds=30)
_FIRST_DELAY, _LONGEST_DELAY, _GROWTH = 60.0, 4 * 3600.0, 3.0
# No such mailbox or domain (RFC 3463 §3.2). The other 5.1.x are about the sender or syntax, and
# 5.7.x is a relay's policy: neither says anything of the donor's address.
_NO_SUCH_ADDRESS = re.compile(r"(?<![\d.])5\.1\.(?:1|2|3|6|10)(?![\d.])")
_DIED = "The process that held the letter stopped answering."
PULSES = cast(Table, Pulse.__table__)
_EXPIRED = "expired"
_BOTH = (State.DEFERRED, State.QUEUED)
_IN_DOUBT = frozenset({State.SENDING, State.UNKNOWN})
_CLAIMED = (
    Delivery.id,
    Delivery.letter,
    Delivery.occasion,
    Delivery.mailing_id,
    Delivery.campaign_id,
    Delivery.entry_id,
    Delivery.locale,
    Delivery.attempts,
    Delivery.expires_at,
    Delivery.created_at,
)
# A claim looks again where letters were refused, so often that thousands of them hold up nobody.
_MOST_LOOKS = 100
_HELD = (
    Delivery.id,
    Delivery.state,
    Delivery.claimed_by,
    Delivery.token_hash,
    Delivery.address_hash,
)
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claim; without an outcome it was never offered to a relay."""

    claim: Claim
    outcome: Outcome | None
    transport: str
    at: datetime


def waiting(now: datetime) -> bool:
    """Whether a letter is due, or claimed by a process that may have died. Only reads."""
    letter = exists().where(Delivery.state.in_(_BOTH), Delivery.due_at <= now)
    of_mailing = letter.where(Delivery.mailing_id == Mailing.id).correlate(Mailing)
    due = or_(
        letter.where(Delivery.mailing_id.is_(None)),
        exists().where(Mailing.state == MailingState.SENDING, of_mailing),
    )
    claimed = exists().where(Delivery.state == State.SENDING)
    return bool(db.session.scalar(select(or_(due, claimed))))


def claim(by: str, limit: int, now: datetime) -> list[Claim]:
    """Take up to `limit` due letters; consent and suppression are asked here (promise P3).

    Letters for one person (thanks, confirmations) go first, then each mailing gets its share.
    Those that may not be written any more are settled as suppressed or expired. Commit before a
    relay hears of any. Two processes never get the same letter.
    """
    claims: list[Claim] = []
    for _ in range(_MOST_LOOKS):
        rows = _next_due(limit - len(claims), now)
        refused = [row for row in rows if row.refusal]
        _settle_refused(refused, now)
        claims += _taken([_claim(row, by) for row in rows if not row.refusal], now)
        if len(claims) == limit or not refused:
            break
    return claims


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
        if row is None or (_is_of(row, result.claim) and row.state == change["state"]):
            continue
        if _is_of(row, result.claim) and row.state in _overruled(change["state"]):
            changes.append(change)
        if result.outcome is not None:
            attempts.append(_attempt(result, result.outcome))
            _learn(result, result.outcome, row.address_hash, now)
    if changes:
        db.session.execute(update(Delivery), changes)
    if attempts:
        db.session.execute(insert(Attempt), attempts)


def beat(by: str, now: datetime) -> None:
    """Say that the process lives; with its claims, in one transaction, and every second or two."""
    add = upsert(PULSES).values(name=by, at=now)
    db.session.execute(
        add.on_conflict_do_update(index_elements=["name"], set_={"at": add.excluded.at})
    )


def bury(now: datetime) -> int:
    """Claims of processes without a pulse become `unknown`; returns how many. May be repeated.

    A pulse from the future is none either: the clock was set back since.
    """
    alive = select(Pulse.name).where(Pulse.at.between(now - LEASE, now + LEASE))
    dead = (
        select(Delivery.id)
        .where(Delivery.state == State.SENDING, Delivery.claimed_by.not_in(alive))
        # A process stopped in the middle of recording holds its rows; nobody waits for it.
        .with_for_update(skip_locked=True)
    )
    ids = db.session.scalars(dead).all()
    if ids:
        _bulk(
            Delivery.id.in_(ids),
            state=State.UNKNOWN,
            claimed_by=None,
            attempts=Delivery.attempts + 1,
        )
        lost = {"at": now, "transport": "", "outcome": State.UNKNOWN, "answer": _DIED}
        db.session.execute(insert(Attempt), [{"delivery_id": one, **lost} for one in ids])
    return len(ids)


def give_back(by: str, in_hand: Collection[int]) -> None:
    """Queue again what this very process claimed and does not hold: no relay heard of it.

    It happens where a commit succeeded and the answer to it was lost.
    """
    orphaned = (Delivery.claimed_by == by, Delivery.id.not_in(list(in_hand)))
    _bulk(*orphaned, state=State.QUEUED, claimed_by=None)


def _next_due(limit: int, now: datetime) -> list[Row[*tuple[Any, ...]]]:
    rows = list(db.session.execute(_due(Delivery.mailing_id.is_(None), _BOTH, limit, now)))
    mailings = db.session.scalars(
        select(Mailing.id).where(Mailing.state == MailingState.SENDING).order_by(Mailing.started_at)
    ).all()
    for place, mailing_id in enumerate(mailings):
        share = -(-(limit - len(rows)) // (len(mailings) - place))
        of_it = Delivery.mailing_id == mailing_id
        for states in ((State.DEFERRED,), (State.QUEUED,)):
            if share > 0:
                found = db.session.execute(_due(of_it, states, share, now)).all()
                share -= len(found)
                rows += found
    return rows


def _due(
    which: ColumnElement[bool], states: Collection[State], limit: int, now: datetime
) -> Select[*tuple[Any, ...]]:
    """Due rows with all that a claim needs, held until the transaction ends."""
    return (
        select(
            *_CLAIMED,
            func.coalesce(Donor.address, Staff.email).label("address"),
            func.coalesce(Donor.name, Staff.name, "").label("name"),
            _refusal(now).label("refusal"),
        )
        .outerjoin(Donor, Donor.id == Delivery.donor_id)
        .outerjoin(Staff, Staff.id == Delivery.staff_id)
        .where(which, Delivery.state.in_(states), Delivery.due_at <= now)
        .order_by(Delivery.due_at)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )


def _refusal(now: datetime) -> ColumnElement[str | None]:
    return case(
        (Delivery.expires_at <= now, _EXPIRED),
        (suppression.suppressed(Delivery.address_hash, Delivery.purpose), "suppressed"),
        (Delivery.staff_id.is_not(None), case((Staff.active, null()), else_="not active")),
        else_=suppression.refusal(Delivery.purpose, Delivery.campaign_id),
    )


def _settle_refused(rows: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> None:
    """No letter is tried, so the attempt names no transport; its answer says why."""
    for state, ids in (
        (State.EXPIRED, [row.id for row in rows if row.refusal == _EXPIRED]),
        (State.SUPPRESSED, [row.id for row in rows if row.refusal != _EXPIRED]),
    ):
        if ids:
            _bulk(Delivery.id.in_(ids), state=state, settled_at=now)
    if rows:
        db.session.execute(
            insert(Attempt),
            [
                {
                    "delivery_id": row.id,
                    "at": now,
                    "transport": "",
                    "outcome": State.EXPIRED if row.refusal == _EXPIRED else State.SUPPRESSED,
                    "answer": row.refusal,
                }
                for row in rows
            ],
        )


def _claim(row: Row[*tuple[Any, ...]], by: str) -> Claim:
    return Claim(
        id=row.id,
        by=by,
        token=new_token(),
        letter=row.letter,
        occasion=row.occasion,
        mailing_id=row.mailing_id,
        campaign_id=row.campaign_id,
        entry_id=row.entry_id,
        locale=row.locale,
        to=Mailbox(row.name, Address.known(row.address)),
        attempts=row.attempts,
        expires_at=row.expires_at or row.created_at + LONGEST_TRIED,
    )


def _taken(claims: list[Claim], now: datetime) -> list[Claim]:
    if claims:
        db.session.execute(
            update(Delivery),
            [
                {
                    "id": one.id,
                    "state": State.SENDING,
                    "claimed_by": one.by,
                    "claimed_at": now,
                    "token_hash": one.token_hash,
                }
                for one in claims
            ],
        )
    return claims


def _held(ids: Sequence[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    rows = db.session.execute(
        select(*_HELD).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    )
    return {row.id: row for row in rows}


def _is_of(row: Row[*tuple[Any, ...]], claim: Claim) -> bool:
    """Whether the row still stands as this claim left it, or was settled since.

    A link that was used up in the meantime has no token any more; then the process tells.
    """
    if row.token_hash is None:
        return bool(row.claimed_by == claim.by)
    return bool(row.token_hash == claim.token_hash)


def _change(result: Result, now: datetime) -> dict[str, Any]:
    """The row after this result."""
    change: dict[str, Any] = {"id": result.claim.id, "claimed_by": None}
    if result.outcome is None:
        return change | {"state": State.QUEUED}
    change["attempts"] = result.claim.attempts + 1
    if result.outcome.state is Became.UNKNOWN:
        return change | {"state": State.UNKNOWN}
    if result.outcome.state is not Became.DEFERRED:
        return change | {"state": State(result.outcome.state), "settled_at": now}
    again_at = now + _delay(result.claim.attempts)
    if again_at >= result.claim.expires_at:
        return change | {"state": State.EXPIRED, "settled_at": now}
    return change | {"state": State.DEFERRED, "due_at": again_at}


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
    if outcome.state is Became.FAILED and _NO_SUCH_ADDRESS.search(outcome.answer):
        cause = SuppressionCause.BOUNCED
        suppression.suppress(address_hash, cause, now, result.claim.id)


def _bulk(*which: ColumnElement[bool], **values: Any) -> None:
    db.session.execute(
        update(Delivery).where(*which).values(**values).execution_options(synchronize_session=False)
    )
