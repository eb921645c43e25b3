"""Recipients: who was told about an update, when and how; and who agreed and was not, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from campaigns import letter_reasons
from campaigns.db import db
from campaigns.model.consent import Consent, Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.digest import DigestItem
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.suppression import Suppression
from campaigns.model.update import Update

State = DeliveryState
# Who has no letter at all stands in this state.
NO_LETTER = "none"
# Of several letters to a person about the same update, the one that came furthest tells.
_FURTHEST = (
    State.SENT,
    State.COMPLAINED,
    State.UNKNOWN,
    State.SENDING,
    State.QUEUED,
    State.DEFERRED,
    State.BOUNCED,
    State.FAILED,
    State.SUPPRESSED,
    State.EXPIRED,
    State.CANCELLED,
)


class NoLetter(StrEnum):
    """Why somebody who ever agreed has no letter, beside what suppresses their address."""

    NO_ADDRESS = "no address"
    LATER = "agreed later"
    WITHDREW = "no consent"
    NOT_CHOSEN = "not chosen"


@dataclass(frozen=True)
class Sought:
    """Whom of an update's readers: by the state of their letter, or `NO_LETTER`, and the reason."""

    update_id: int
    state: str = ""
    reason: str = ""


def mailings(update_id: int) -> Sequence[Mailing]:
    """The mailings about an update whose hour has come, the oldest first."""
    begun = Mailing.update_id == update_id, Mailing.started_at.is_not(None)
    return db.session.scalars(select(Mailing).where(*begun).order_by(Mailing.id)).all()


def found(sought: Sought, begun: Sequence[Mailing]) -> Select[Any]:
    """A row for each person, in no order: `Donor.id`, name and address; and of the letter
    delivery_id, mailing_id, locale, state, reason and at (when it last got on).

    `begun` is what `mailings` gave and not empty. People are those that a letter about it was
    written to and those who ever agreed to its purpose; merged ones stand under one row. Consent
    and suppressions are asked as of the newest mailing's hour; a suppression that was lifted
    since cannot be seen any more.
    """
    every = _everybody(begun)
    chosen = [
        column == value
        for column, value in ((every.c.state, sought.state), (every.c.reason, sought.reason))
        if value
    ]
    told = [column for column in every.c if column.key != "person"]
    return (
        select(Donor.id, Donor.name, Donor.address, *told)
        .select_from(every)
        .join(Donor, Donor.id == every.c.person)
        .where(*chosen)
    )


def counts(begun: Sequence[Mailing]) -> list[tuple[str, str | None, int]]:
    """How many people are in each state and for which reason, most first."""
    every, number = _everybody(begun), func.count()
    asked = select(every.c.state, every.c.reason, number).group_by(every.c.state, every.c.reason)
    ordered = asked.order_by(number.desc(), every.c.state, every.c.reason)
    return [(state, reason, count) for state, reason, count in db.session.execute(ordered)]


def _everybody(begun: Sequence[Mailing]) -> CTE:
    """Those with a letter, then those without: each half is found by its own index."""
    letter = _letters(begun)
    told = select(
        letter.c.person,
        letter.c.delivery_id,
        letter.c.mailing_id,
        letter.c.locale,
        type_coerce(letter.c.state, String).label("state"),
        letter.c.reason,
        letter.c.at,
    ).where(letter.c.place == 1)
    return told.union_all(_without(letter, begun)).cte("everybody")


def _without(letter: CTE, begun: Sequence[Mailing]) -> Select[Any]:
    """Who ever agreed and has no letter, in the columns of those who have one."""
    hour = max(mailing.started_at for mailing in begun if mailing.started_at)
    update, purpose = begun[-1].update, begun[-1].purpose
    agreed = select(Consent.donor_id).where(*_about(purpose, update), Consent.given)
    return (
        select(
            Donor.id,
            null(),
            null(),
            null(),
            literal(NO_LETTER),
            _why(_said(purpose, update, hour), update, hour),
            cast(null(), letter.c.at.type),
        )
        .where(Donor.merged_into.is_(None), Donor.id.in_(agreed))
        .where(Donor.id.not_in(select(letter.c.person)))
    )


def _letters(begun: Sequence[Mailing]) -> CTE:
    """The letters that told of it, the monthly ones too; each one's place among its person's."""
    ids = [mailing.id for mailing in begun]
    own = _rows(Delivery.mailing_id).where(Delivery.mailing_id.in_(ids))
    monthly = (
        _rows(DigestItem.mailing_id)
        .join(DigestItem, DigestItem.delivery_id == Delivery.id)
        .where(DigestItem.update_id == begun[-1].update_id)
    )
    every = own.union_all(monthly).subquery()
    rank = case({state: place for place, state in enumerate(_FURTHEST)}, value=every.c.state)
    place = func.row_number().over(
        partition_by=every.c.person, order_by=(rank, every.c.delivery_id)
    )
    return select(*every.c, place.label("place")).cte("letter")


def _rows(
    mailing_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
) -> Select[Any]:
    columns: list[ColumnElement[Any] | InstrumentedAttribute[Any]] = [
        func.coalesce(Donor.merged_into, Donor.id).label("person"),
        Delivery.id.label("delivery_id"),
        mailing_id.label("mailing_id"),
        Delivery.locale,
        Delivery.state,
        letter_reasons.of().label("reason"),
        func.coalesce(Delivery.settled_at, Delivery.claimed_at, Delivery.created_at).label("at"),
    ]
    return select(*columns).join(Donor, Donor.id == Delivery.donor_id)


def _said(purpose: Purpose, update: Update, hour: datetime) -> ScalarSelect[bool]:
    """What the statement's donor had said to the purpose last, at the hour."""
    return (
        select(Consent.given)
        .where(Consent.donor_id == Donor.id, *_about(purpose, update), Consent.at <= hour)
        .order_by(Consent.id.desc())
        .limit(1)
        .correlate(Donor)
        .scalar_subquery()
    )


def _about(purpose: Purpose, update: Update) -> tuple[ColumnElement[bool], ...]:
    campaign = update.campaign_id if purpose is Purpose.UPDATES else None
    return Consent.purpose == purpose, Consent.campaign_id.is_not_distinct_from(campaign)


def _why(said: ScalarSelect[bool], update: Update, hour: datetime) -> ColumnElement[str]:
    then = exists().where(Suppression.address_hash == Donor.address_hash, Suppression.at <= hour)
    waits = exists().where(DigestItem.donor_id == Donor.id, DigestItem.update_id == update.id)
    return case(
        (Donor.address.is_(None), NoLetter.NO_ADDRESS.value),
        (then, letter_reasons.suppressed(Donor.address_hash)),
        (waits, letter_reasons.Reason.DIGEST.value),
        (said.is_(None), NoLetter.LATER.value),
        (said.is_(True), literal(NoLetter.NOT_CHOSEN.value)),
        else_=NoLetter.WITHDREW.value,
    )
