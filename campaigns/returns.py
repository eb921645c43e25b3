"""Returns: what comes back for a letter settles it, and may suppress its address (design §7)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import Table, distinct, func, select, update

from campaigns import suppression
from campaigns.db import db, insert
from campaigns.mail import returned
from campaigns.mail.address import Address
from campaigns.mail.hook import Event
from campaigns.mail.returned import Said
from campaigns.mail.status import BOUNCES, Meaning
from campaigns.mail.verp import delivery_behind, delivery_named, looks_like_ours
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import SOFT_DAYS, SOFT_LIMIT, Organisation
from campaigns.model.returned import Return, Stray
from campaigns.model.suppression import SuppressionCause
from config import settings

_S = DeliveryState
# From which states what came back leads on; the others had an end of their own, or another try.
_BOUNCING = frozenset({_S.SENT, _S.UNKNOWN, _S.SENDING, _S.FAILED})
_COMPLAINING = _BOUNCING | {_S.BOUNCED}


class Verdict(StrEnum):
    """What became of something that came back. The last three are of no letter of ours."""

    TAKEN = "taken"
    KNOWN = "known"
    FORGED = "forged"
    NOT_OURS = "not_ours"
    NO_LETTER = "no_letter"


STRAY = frozenset({Verdict.FORGED, Verdict.NOT_OURS, Verdict.NO_LETTER})


def take(message: bytes, door: str, now: datetime, *, to: str | None = None) -> Verdict:
    """Take a message that came back; `to` is whom it came to, where that is known for sure.

    The second time the same message is `KNOWN` and changes nothing. A bounce address that was
    made up, or no letter to be found, is counted for its door and changes nothing else.
    """
    read = returned.read(message)
    came_to = read.came_to if to is None else (to, *read.came_to)
    delivery_id = _named(came_to, read.letters)
    if delivery_id is None:
        forged = any(looks_like_ours(address) for address in came_to)
        return stray(door, Verdict.FORGED if forged else Verdict.NOT_OURS, now)
    delivery = _held(delivery_id)
    if delivery is None:
        return stray(door, Verdict.NO_LETTER, now)
    return _keep(delivery, read.key, read.about(*_addresses(delivery)), door, now)


def tell(event: Event, door: str, now: datetime) -> Verdict:
    """`take` for what a provider tells of a letter in its own words."""
    delivery_id = _named(event.senders, event.letters)
    if delivery_id is None:
        return stray(door, Verdict.NOT_OURS, now)
    delivery = _held(delivery_id)
    if delivery is None:
        return stray(door, Verdict.NO_LETTER, now)
    return _keep(delivery, event.key, event.said, door, now)


def stray(door: str, reason: Verdict, now: datetime) -> Verdict:
    """Count something that is of no letter. Each call counts."""
    count(door, reason.value, 1, now)
    return reason


def count(door: str, reason: str, number: int, now: datetime) -> None:
    """Add to what came through a door and changed nothing, by the reason."""
    row = insert(cast(Table, Stray.__table__))
    row = row.values(door=door, reason=reason[:24], number=number, last_at=now)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["door", "reason"],
            set_={"number": Stray.number + number, "last_at": now},
        )
    )


def of(deliveries: Collection[int]) -> dict[int, list[Return]]:
    """What came back for each of these deliveries, the oldest first."""
    found: dict[int, list[Return]] = {one: [] for one in deliveries}
    rows = select(Return).where(Return.delivery_id.in_(found)).order_by(Return.id)
    for row in db.session.scalars(rows):
        found[row.delivery_id].append(row)
    return found


def counts(mailing: Mailing) -> list[tuple[Meaning, str, int]]:
    """Why letters of a mailing did not arrive or were not wanted: how many for each reason and
    status code, the most frequent first."""
    number = func.count(distinct(Return.delivery_id))
    rows = db.session.execute(
        select(Return.meaning, Return.status, number)
        .join(Delivery, Delivery.id == Return.delivery_id)
        .where(Delivery.mailing_id == mailing.id)
        .where(Return.meaning.in_((*BOUNCES, Meaning.COMPLAINT)))
        .group_by(Return.meaning, Return.status)
        .order_by(number.desc(), Return.meaning, Return.status)
    )
    return [(meaning, status, count) for meaning, status, count in rows]


def _named(came_to: Sequence[str], letters: Sequence[str]) -> int | None:
    """By the address it came to; else by the Message-ID of the letter that it brings back, as
    where a provider puts its own address in the envelope."""
    key = settings().address_pepper
    behind = (delivery_behind(address, key) for address in came_to)
    named = (delivery_named(letter, key) for letter in letters)
    return next((one for many in (behind, named) for one in many if one is not None), None)


def _held(delivery_id: int) -> Delivery | None:
    """The delivery, locked with all others to its address, whose bounces are counted together."""
    whose = select(Delivery.address_hash).where(Delivery.id == delivery_id).scalar_subquery()
    rows = db.session.scalars(
        select(Delivery)
        .where(Delivery.address_hash == whose)
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return next((row for row in rows if row.id == delivery_id), None)


def _addresses(delivery: Delivery) -> tuple[str, ...]:
    if delivery.donor is None or delivery.donor.address is None:
        return ()
    address = Address.known(delivery.donor.address)
    return address.text, address.wire


def _keep(delivery: Delivery, key: str, said: Said, door: str, now: datetime) -> Verdict:
    new = db.session.scalar(
        insert(cast(Table, Return.__table__))
        .values(
            delivery_id=delivery.id,
            at=now,
            door=door,
            key=key,
            meaning=said.meaning,
            status=said.status,
            answer=said.answer,
        )
        .on_conflict_do_nothing(index_elements=["delivery_id", "key"])
        .returning(Return.id)
    )
    if new is None:
        return Verdict.KNOWN
    _settle(delivery, said.meaning, now)
    cause = _blames(delivery, said.meaning, now)
    if cause is not None:
        suppression.suppress(delivery.address_hash, cause, now, delivery.id)
    return Verdict.TAKEN


def _settle(delivery: Delivery, meaning: Meaning, now: datetime) -> None:
    """Whatever came back shows that the letter left, so nothing stays unknown."""
    if meaning is Meaning.COMPLAINT and delivery.state in _COMPLAINING:
        becomes = _S.COMPLAINED
    elif meaning in BOUNCES and delivery.state in _BOUNCING:
        becomes = _S.BOUNCED
    elif delivery.state is _S.UNKNOWN:
        becomes = _S.SENT
    else:
        return
    db.session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id)
        .values(state=becomes, claimed_by=None, settled_at=func.coalesce(Delivery.settled_at, now))
    )


def _blames(delivery: Delivery, meaning: Meaning, now: datetime) -> SuppressionCause | None:
    """Why the address gets nothing more, if so. What is said of sender or content blames nobody."""
    if meaning is Meaning.COMPLAINT:
        return SuppressionCause.COMPLAINED
    if meaning is Meaning.HARD or (meaning is Meaning.SOFT and _too_many(delivery, now)):
        return SuppressionCause.BOUNCED
    return None


def _too_many(delivery: Delivery, now: datetime) -> bool:
    """Of so many letters, however often each came back."""
    limit, days = _allowed()
    bounced = db.session.scalar(
        select(func.count(distinct(Return.delivery_id)))
        .join(Delivery, Delivery.id == Return.delivery_id)
        .where(Delivery.address_hash == delivery.address_hash, Return.meaning == Meaning.SOFT)
        .where(Return.at > now - timedelta(days=days))
    )
    return (bounced or 0) >= limit


def _allowed() -> tuple[int, int]:
    row = db.session.execute(
        select(Organisation.soft_limit, Organisation.soft_days).where(Organisation.ours)
    ).one_or_none()
    return (row.soft_limit, row.soft_days) if row else (SOFT_LIMIT, SOFT_DAYS)
