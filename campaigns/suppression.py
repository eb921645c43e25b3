"""Suppression: may we write to this person for this purpose (design §5 rule 6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns import persons
from campaigns.db import db, insert
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.suppression import Suppression, SuppressionCause

# A column, or a value that stands for one.
Asked = SQLCoreOperations[Purpose] | Purpose
Hashed = SQLCoreOperations[str] | SQLCoreOperations[str | None]
Numbered = SQLCoreOperations[int] | SQLCoreOperations[int | None] | int | None

# Why a mailing passes over who gets what it says with the rest of its month.
DIGEST = "digest"
# What mailings are for, and digests therefore.
NEWS = (Purpose.UPDATES, Purpose.NEWSLETTER)


@dataclass(frozen=True)
class Said:
    """How somebody said no: by which door, in which language, and in answer to which letter."""

    source: ConsentSource
    locale: str
    delivery_id: int | None = None


def forbids(address_hash: str, purpose: Purpose) -> bool:
    """Whether the address gets nothing of this purpose. Service letters ask for bounces only."""
    return bool(db.session.scalar(select(suppressed(literal(address_hash), purpose))))


def consents(donor_id: int, purpose: Purpose, campaign_id: int | None) -> bool:
    """Whether what the donor agreed to still stands: the newest row says yes.

    Service letters need no consent. Thanks need none either until they are declined: a receipt
    for a gift rests on the gift (PIPL art. 13, 2), not on consent.
    """
    return bool(db.session.scalar(select(standing(donor_id, purpose, campaign_id))))


def agree(
    donor: Donor,
    purpose: Purpose,
    campaign_id: int | None,
    *,
    source: ConsentSource,
    wording: str,
    locale: str,
    now: datetime,
    delivery_id: int | None = None,
) -> None:
    """The donor agrees to a purpose. The second time changes nothing while the first stands.

    With `delivery_id`, the letter by which they confirmed that the address is theirs, it also
    lifts an earlier "leave everything": a person asked again. A bounce or complaint stays.
    """
    if delivery_id is not None and donor.address_hash:
        left = db.session.get(Suppression, (donor.address_hash, SuppressionCause.LEFT))
        if left is not None:
            db.session.delete(left)
    newest = _newest(donor.id, purpose, campaign_id)
    if newest is not None and newest.given:
        return
    db.session.add(
        Consent(
            donor_id=donor.id,
            purpose=purpose,
            campaign_id=campaign_id,
            given=True,
            at=now,
            source=source,
            wording=wording,
            locale=locale,
            delivery_id=delivery_id,
        )
    )
    db.session.flush()


def withdraw(delivery: Delivery, now: datetime) -> None:
    """Withdraw the letter's purpose for whoever got it; one tap. The second time does nothing.

    Letters without a purpose that could be withdrawn (service letters) change nothing. A digest's
    is all that could be in the next one: updates of every campaign, and the newsletter.
    """
    if delivery.letter is LetterKind.DIGEST:
        _decline_news(delivery, now)
    elif delivery.purpose is not Purpose.SERVICE:
        decline(delivery, delivery.purpose, delivery.campaign_id, now)


def decline(delivery: Delivery, purpose: Purpose, campaign_id: int | None, now: datetime) -> None:
    """Whoever got the letter says no to any one purpose. The second time does nothing."""
    if delivery.donor_id is None:
        return
    for donor_id in persons.rows_of(delivery.donor_id):
        _take_back(donor_id, purpose, campaign_id, _by(delivery), now)
    db.session.flush()


def leave_everything(delivery: Delivery, now: datetime) -> None:
    """Nothing more to this address, for any purpose. The second time does nothing.

    Every standing consent is withdrawn too, so that who later asks for one thing again does not
    get the others back with it.
    """
    if delivery.donor_id is None:
        return
    suppress(delivery.address_hash, SuppressionCause.LEFT, now, delivery.id)
    end_everything(delivery.donor_id, _by(delivery), now)


def end_everything(donor_id: int, said: Said, now: datetime) -> None:
    """`leave_everything` for who said so without a letter. The second time does nothing."""
    rows = persons.rows_of(donor_id)
    hashes = select(Donor.address_hash).where(Donor.id.in_(rows), Donor.address_hash.is_not(None))
    for address_hash in db.session.scalars(hashes).all():
        suppress(address_hash or "", SuppressionCause.LEFT, now, said.delivery_id)
    for row in rows:
        agreed = select(Consent.purpose, Consent.campaign_id).where(Consent.donor_id == row)
        for purpose, campaign_id in db.session.execute(agreed.distinct()).all():
            _take_back(row, purpose, campaign_id, said, now)
        _take_back(row, Purpose.RECEIPTS, None, said, now)
    db.session.flush()


def suppress(
    address_hash: str, cause: SuppressionCause, now: datetime, delivery_id: int | None = None
) -> None:
    """The address gets nothing from now on. The second time keeps the first one's moment."""
    db.session.execute(
        insert(cast(Table, Suppression.__table__))
        .values(address_hash=address_hash, cause=cause, at=now, delivery_id=delivery_id)
        .on_conflict_do_nothing()
    )


def left_since(delivery: Delivery) -> bool:
    """Whether its reader has left since a letter was written: its link must not bring them back."""
    person = select(Donor.id).where(
        or_(Donor.id == delivery.donor_id, Donor.address_hash == delivery.address_hash)
    )
    withdrawn = exists().where(
        Consent.donor_id.in_(person),
        Consent.purpose == (Purpose.UPDATES if delivery.campaign_id else Purpose.NEWSLETTER),
        Consent.campaign_id.is_not_distinct_from(delivery.campaign_id),
        Consent.given.is_(False),
        Consent.at >= delivery.created_at,
    )
    left = exists().where(
        Suppression.address_hash == delivery.address_hash,
        Suppression.cause == SuppressionCause.LEFT,
        Suppression.at >= delivery.created_at,
    )
    return bool(db.session.scalar(select(or_(withdrawn, left))))


def suppressed(address_hash: Hashed, purpose: Asked) -> ColumnElement[bool]:
    """`forbids` as a clause, for statements about many."""
    counts = or_(
        Suppression.cause == SuppressionCause.BOUNCED, _purpose(purpose) != Purpose.SERVICE
    )
    return exists().where(and_(Suppression.address_hash == address_hash, counts))


def standing(donor_id: Numbered, purpose: Asked, campaign_id: Numbered) -> ColumnElement[bool]:
    """`consents` as a clause. Only consent to updates is about one campaign."""
    asked = _purpose(purpose)
    campaign = (
        campaign_id
        if isinstance(campaign_id, SQLCoreOperations)
        else literal(campaign_id, Consent.campaign_id.type)
    )
    about = case((asked == Purpose.UPDATES, campaign))
    newest = (
        select(Consent.given)
        .where(Consent.donor_id == donor_id, Consent.purpose == asked)
        .where(Consent.campaign_id.is_not_distinct_from(about))
        .order_by(Consent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return or_(asked == Purpose.SERVICE, func.coalesce(newest, asked == Purpose.RECEIPTS))


def refusal(
    purpose: Asked, campaign_id: Numbered, agreed: ColumnElement[bool] | None = None
) -> ColumnElement[str | None]:
    """Why a donor (the statement's) would not be written to, as a clause; null if they would.

    `agreed` is asked in place of their consent to the purpose, of a letter with more than one.
    """
    agreed = standing(Donor.id, purpose, campaign_id) if agreed is None else agreed
    return case(
        (Donor.merged_into.is_not(None), "merged"),
        (Donor.address.is_(None), "no address"),
        (suppressed(Donor.address_hash, purpose), "suppressed"),
        (not_(agreed), "no consent"),
    )


def passed_over(purpose: Asked, campaign_id: Numbered) -> ColumnElement[str | None]:
    """`refusal`, and where there is none "digest" for who reads it in a digest.

    It is asked when a mailing is addressed, not again when its letters are claimed: what was
    queued before somebody chose the digest comes by itself.
    """
    return func.coalesce(refusal(purpose, campaign_id), case((Donor.monthly, DIGEST)))


def tally(
    members: Select[int], purpose: Purpose, campaign_id: int | None
) -> tuple[int, dict[str, int]]:
    """How many of these donors would be written to now, and how many not, by reason."""
    why = passed_over(purpose, campaign_id).label("refusal")
    reasons = select(why).where(Donor.id.in_(members)).subquery()
    counted = select(reasons.c.refusal, func.count()).group_by(reasons.c.refusal)
    numbers: dict[str | None, int] = dict(db.session.execute(counted).all())
    return numbers.get(None, 0), {
        why: number for why, number in sorted(numbers.items(), key=_first) if why
    }


def _decline_news(delivery: Delivery, now: datetime) -> None:
    for donor_id in persons.rows_of(delivery.donor_id or 0):
        agreed = select(Consent.purpose, Consent.campaign_id).where(
            Consent.donor_id == donor_id, Consent.purpose.in_(NEWS)
        )
        for purpose, campaign_id in db.session.execute(agreed.distinct()).all():
            _take_back(donor_id, purpose, campaign_id, _by(delivery), now)
    db.session.flush()


def _first(pair: tuple[str | None, int]) -> str:
    return pair[0] or ""


def _by(letter: Delivery) -> Said:
    return Said(ConsentSource.LETTER, letter.locale, letter.id)


def _purpose(asked: Asked) -> SQLCoreOperations[Purpose]:
    return literal(asked, Consent.purpose.type) if isinstance(asked, Purpose) else asked


def _newest(donor_id: int, purpose: Purpose, campaign_id: int | None) -> Consent | None:
    return db.session.scalar(
        select(Consent)
        .where(Consent.donor_id == donor_id, Consent.purpose == purpose)
        .where(Consent.campaign_id.is_not_distinct_from(campaign_id))
        .order_by(Consent.id.desc())
        .limit(1)
    )


def _take_back(
    donor_id: int, purpose: Purpose, campaign_id: int | None, said: Said, now: datetime
) -> None:
    """Say no where yes stands, in the words that were agreed to."""
    about = campaign_id if purpose is Purpose.UPDATES else None
    if not consents(donor_id, purpose, about):
        return
    newest = _newest(donor_id, purpose, about)
    db.session.add(
        Consent(
            donor_id=donor_id,
            purpose=purpose,
            campaign_id=about,
            given=False,
            at=now,
            source=said.source,
            wording=newest.wording if newest else "",
            locale=said.locale,
            delivery_id=said.delivery_id,
        )
    )
