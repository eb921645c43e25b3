"""Claims: take due letters; what becomes of them is written down by `outcomes`.

docs/decisions/0020-posting.md tells why claims, outcomes and leases look as they do.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    text,
    update,
)

from campaigns import bulk, digested, hours, suppression, thanks
from campaigns.crypto import new_token
from campaigns.db import Id, Moment, db
from campaigns.domains import Gate
from campaigns.mail.address import Address, Mailbox
from campaigns.model.delivery import (
    LONGEST_TRIED,
    Attempt,
    Claim,
    Delivery,
    DeliveryState,
    LetterKind,
)
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Staff

State = DeliveryState
# A claim looks again where letters were refused, so often that thousands of them hold up nobody.
_MOST_LOOKS = 100
_EXPIRED = "expired"
_TAKEN_BACK = "taken back"
_REFUSED = {_EXPIRED: State.EXPIRED, _TAKEN_BACK: State.CANCELLED}
_BOTH = (State.DEFERRED, State.QUEUED)

# Building a statement costs more than running it, so those of every turn are built once.
DELIVERIES = cast(Table, Delivery.__table__)
ATTEMPTS = cast(Table, Attempt.__table__)
_NOW = bindparam("now", type_=Moment())
_TO_ONE = Delivery.mailing_id.is_(None)
_OF_MAILING = Delivery.mailing_id == bindparam("mailing", type_=Id)
# Where letters are due: to one person, or of which mailing, and in which of the states.
_PLACES = text("""
SELECT mailing_id, state FROM (
    SELECT CAST(NULL AS bigint) AS mailing_id, '' AS state, CAST(NULL AS timestamp) AS started_at
    WHERE EXISTS (
        SELECT 1 FROM deliveries
        WHERE mailing_id IS NULL AND state IN ('deferred', 'queued') AND due_at <= :now)
    UNION ALL
    SELECT mailings.id, states.state, mailings.started_at
    FROM mailings CROSS JOIN (SELECT 'deferred' AS state UNION ALL SELECT 'queued') states
    WHERE mailings.state = 'sending' AND EXISTS (
        SELECT 1 FROM deliveries
        WHERE mailing_id = mailings.id AND deliveries.state = states.state AND due_at <= :now)
) places
ORDER BY mailing_id IS NOT NULL, started_at, mailing_id, state
""").bindparams(_NOW)
_ONE = DELIVERIES.c.id == bindparam("one", type_=Id)
_TAKE = """
UPDATE deliveries
SET state = 'sending', claimed_by = given.by, claimed_at = given.at, token_hash = given.hash
FROM {given} WHERE deliveries.id = given.one
"""
_TAKEN = {"one": "bigint", "by": "text", "at": "timestamptz", "hash": "text"}
_PUT_OFF = "UPDATE deliveries SET due_at = given.at FROM {given} WHERE deliveries.id = given.one"
_REFUSE = (
    update(DELIVERIES).where(_ONE).values(state=bindparam("becomes"), settled_at=bindparam("at"))
)
# A letter without an expiry of its own is tried for so long from its first try on: it may have
# waited for days until it might go.
_FIRST_TRIED = (
    select(func.min(Attempt.at)).where(Attempt.delivery_id == Delivery.id).scalar_subquery()
)
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
    Delivery.purpose,
    case((Delivery.attempts > 0, _FIRST_TRIED)).label("first_tried"),
)


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


def claim(by: str, limit: int, now: datetime, gate: Gate | None = None) -> list[Claim]:
    """Take up to `limit` due letters; consent and suppression are asked here (promise P3).

    Letters for one person (thanks, confirmations) go first, then each mailing gets its share.
    Those that may not be written any more are settled as suppressed or expired; those that would
    come at a quiet hour, or whose domain the gate keeps closed, are due later, so that the others
    go on. Commit before a relay hears of any. Two processes never get the same letter.
    """
    claims: list[Claim] = []
    for _ in range(_MOST_LOOKS):
        rows = _next_due(limit - len(claims), now)
        later = hours.put_off((row for row in rows if not row.refusal), now)
        refused = {row.id: why for row in rows if (why := _why_not(row, later.get(row.id)))}
        _settle_refused(refused, now)
        _put_off({one: until for one, until in later.items() if one not in refused})
        open_ones = (row for row in rows if row.id not in refused and row.id not in later)
        wanted = [_claim(row, by, now) for row in open_ones]
        late = _closed(wanted, gate) if gate else {}
        _put_off(late)
        taken = [one for one in wanted if one.id not in late]
        claims += _taken(taken, now)
        if len(claims) == limit or len(taken) == len(rows):
            break
    return claims


def _closed(wanted: list[Claim], gate: Gate) -> dict[int, datetime]:
    """Those whose domains are closed: when they may be open, or have expired."""
    opening = [(one, gate.opens(one.to.address.ascii_domain)) for one in wanted]
    return {one.id: min(opens, one.expires_at) for one, opens in opening if opens is not None}


def _next_due(limit: int, now: datetime) -> list[Row[*tuple[Any, ...]]]:
    """Letters to one person, then each mailing's share, what was deferred before what was not."""
    connection = db.session.connection()
    rows: list[Row[*tuple[Any, ...]]] = []
    places = connection.execute(_PLACES, {"now": now}).all()
    mailings = {place.mailing_id for place in places if place.mailing_id is not None}
    for mailing_id, of_one in groupby(places, attrgetter("mailing_id")):
        share = limit if mailing_id is None else -(-(limit - len(rows)) // len(mailings))
        mailings.discard(mailing_id)
        for place in of_one:
            if share > 0:
                which = (
                    _due(_OF_MAILING, State(place.state)) if mailing_id else _due(_TO_ONE, *_BOTH)
                )
                asked = {"now": now, "most": share, "mailing": mailing_id}
                found = connection.execute(which, asked).all()
                share -= len(found)
                rows += found
    return rows


@cache
def _due(which: ColumnElement[bool], *states: State) -> Select[*tuple[Any, ...]]:
    """Due rows with all that a claim needs, held until the transaction ends.

    Its parameters are `now`, `most` and, for letters of a mailing, `mailing`.
    """
    return (
        select(
            *_CLAIMED,
            func.coalesce(Donor.address, Staff.email).label("address"),
            func.coalesce(Donor.name, Staff.name, "").label("name"),
            Donor.timezone.label("zone"),
            _refusal(to_one=which is _TO_ONE).label("refusal"),
            *hours.KEPT,
        )
        .outerjoin(Donor, Donor.id == Delivery.donor_id)
        .outerjoin(Staff, Staff.id == Delivery.staff_id)
        .outerjoin(Organisation, Organisation.ours.is_(True))
        .where(which, Delivery.state.in_(states), Delivery.due_at <= _NOW)
        .order_by(Delivery.due_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(of=Delivery, skip_locked=True)
    )


def _refusal(*, to_one: bool) -> ColumnElement[str | None]:
    """Gifts and digests are looked at only for letters to one person, among which they are."""
    void = and_(Delivery.letter == LetterKind.THANKS, thanks.taken_back())
    told = suppression.refusal(Delivery.purpose, None, digested.still_agreed())
    digest = (Delivery.letter == LetterKind.DIGEST, told)
    return case(
        (Delivery.expires_at <= _NOW, _EXPIRED),
        *([(void, _TAKEN_BACK)] if to_one else []),
        (suppression.suppressed(Delivery.address_hash, Delivery.purpose), "suppressed"),
        (Delivery.staff_id.is_not(None), case((Staff.active, null()), else_="not active")),
        *([digest] if to_one else []),
        else_=suppression.refusal(Delivery.purpose, Delivery.campaign_id),
    )


def _why_not(row: Row[*tuple[Any, ...]], until: datetime | None) -> str | None:
    """Why a letter never goes: refused, or it may go `until` when it will have expired."""
    if until is not None and row.expires_at is not None and until >= row.expires_at:
        return _EXPIRED
    return cast("str | None", row.refusal)


def _settle_refused(refused: Mapping[int, str], now: datetime) -> None:
    """No letter is tried, so the attempt names no transport; its answer says why."""
    if not refused:
        return
    becomes = {one: _REFUSED.get(why, State.SUPPRESSED) for one, why in refused.items()}
    db.session.execute(
        _REFUSE, [{"one": one, "becomes": state, "at": now} for one, state in becomes.items()]
    )
    db.session.execute(
        insert(ATTEMPTS),
        [
            {
                "delivery_id": one,
                "at": now,
                "transport": "",
                "outcome": becomes[one],
                "answer": why,
            }
            for one, why in refused.items()
        ],
    )


def _put_off(later: Mapping[int, datetime]) -> None:
    if later:
        rows = [{"one": one, "at": at} for one, at in later.items()]
        bulk.execute(_PUT_OFF, {"one": "bigint", "at": "timestamptz"}, rows)


def _claim(row: Row[*tuple[Any, ...]], by: str, now: datetime) -> Claim:
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
        expires_at=row.expires_at or (row.first_tried or now) + LONGEST_TRIED,
    )


def _taken(claims: list[Claim], now: datetime) -> list[Claim]:
    if claims:
        rows = [{"one": one.id, "by": one.by, "hash": one.token_hash, "at": now} for one in claims]
        bulk.execute(_TAKE, _TAKEN, rows)
    return claims
