"""Digests: the monthly letter of who chose one letter a month, written when its morning has come.

docs/decisions/0061-the-monthly-digest.md tells who reads what in which letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import cast

from sqlalchemy import Select, Table, bindparam, delete, func, literal, or_, select, true, update
from sqlalchemy.orm import aliased

from campaigns import blocks, daysoff, digested, figures, hours, letters, standstill, suppression
from campaigns.db import db, insert
from campaigns.digested import ITEMS, OCCASION
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.digest import Digest, DigestFigure, DigestItem
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.organisation import first_language
from campaigns.model.update import Update
from config import LOCALES

MORNING = time(9)
# So many letters to single people may be due at once by this: a confirmation that somebody waits
# for goes after them.
ROOM = 500
DIGESTS = cast(Table, Digest.__table__)
_WAITING = DigestItem.delivery_id.is_(None)


@dataclass(frozen=True)
class Month:
    """A calendar month where we are, "2026-11"; its digest goes from `morning` on."""

    name: str
    ends_at: datetime
    morning: datetime


def write_due(now: datetime) -> None:
    """Write the letters of the digest that is due, some of them at each call, until all are.

    Any number of these may run at once or die: a donor has one delivery for a month by a unique
    key, what it tells is noted in the same transaction, and who comes second does nothing.
    """
    last = month_before(now)
    if now >= last.morning:
        _begin(last, now)
    digest = db.session.scalar(
        select(Digest)
        .where(Digest.finished_at.is_(None))
        .order_by(Digest.month)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if digest is not None:
        _go_on(digest, now)
    db.session.flush()


def month_before(now: datetime) -> Month:
    """The month that ended last, and the morning of the first working day after it."""
    zone, kept = figures.zone(), hours.ours()
    first = now.astimezone(zone).date().replace(day=1)
    days = (first + timedelta(days=number) for number in range(28))
    working = next((day for day in days if not daysoff.off(kept.country, day)), first)
    return Month(
        name=f"{first - timedelta(days=1):%Y-%m}",
        ends_at=kept.moment(datetime.combine(first, time()), None),
        morning=kept.moment(datetime.combine(working, MORNING), None),
    )


def _begin(month: Month, now: datetime) -> None:
    """The second time does nothing."""
    if db.session.get(Digest, month.name) is not None:
        return
    row = {"month": month.name, "ends_at": month.ends_at, "due_at": month.morning}
    made = db.session.execute(
        insert(DIGESTS).values(**row).on_conflict_do_nothing().returning(DIGESTS.c.month)
    )
    if made.one_or_none() is not None:
        _freeze_figures(month, now)


def _freeze_figures(month: Month, now: datetime) -> None:
    told = (
        _waiting(month.ends_at)
        .join(Update, Update.id == DigestItem.update_id)
        .where(Update.campaign_id.is_not(None))
        .with_only_columns(Update.campaign_id)
        .distinct()
    )
    for campaign_id in db.session.scalars(told.order_by(Update.campaign_id)).all():
        live = blocks.live(campaign_id, now)
        db.session.add_all(
            DigestFigure(
                month=month.name,
                campaign_id=campaign_id,
                locale=locale,
                body=live.body("{{ campaign.progress }}", locale).strip(),
            )
            for locale in LOCALES
        )
    db.session.flush()


def _go_on(digest: Digest, now: datetime) -> None:
    room = ROOM - _ahead(now)
    if room <= 0:
        return
    rows = _next(digest.ends_at, room)
    if not rows:
        digest.finished_at = now
        return
    _queue(digest, rows, now)
    _assign(digest, rows)
    # What could not be told now is no news in a month.
    old = select(Mailing.id).where(Mailing.started_at < digest.ends_at)
    untold = delete(DigestItem).where(_WAITING, DigestItem.donor_id.in_(rows))
    db.session.execute(
        untold.where(DigestItem.mailing_id.in_(old)),
        execution_options={"synchronize_session": False},
    )


def _ahead(now: datetime) -> int:
    """How many letters of no mailing are due."""
    due = (
        select(Delivery.id)
        .where(Delivery.mailing_id.is_(None), Delivery.state == DeliveryState.QUEUED)
        .where(Delivery.due_at <= now)
        .limit(ROOM)
    )
    return db.session.scalar(select(func.count()).select_from(due.subquery())) or 0


def _waiting(before: datetime) -> Select[int]:
    return (
        select(DigestItem.donor_id)
        .join(Mailing, Mailing.id == DigestItem.mailing_id)
        .where(_WAITING, Mailing.started_at < before)
    )


def _next(before: datetime, most: int) -> Sequence[int]:
    """Rows of donors whose items wait, each with all other rows of the same person."""
    some = _waiting(before).distinct().order_by(DigestItem.donor_id).limit(most)
    persons = select(func.coalesce(Donor.merged_into, Donor.id)).where(
        Donor.id.in_(db.session.scalars(some).all())
    )
    ids = db.session.scalars(persons.distinct()).all()
    every = select(Donor.id).where(or_(Donor.id.in_(ids), Donor.merged_into.in_(ids)))
    return db.session.scalars(every.order_by(Donor.id)).all()


def _queue(digest: Digest, rows: Sequence[int], now: datetime) -> None:
    """A letter to each person who has something to read.

    One that may have gone in a history that is lost begins as unknown, for a person to settle.
    """
    doubtful = standstill.in_doubt(digest.due_at)
    state = DeliveryState.UNKNOWN if doubtful else DeliveryState.QUEUED
    values = {
        Delivery.letter: literal(LetterKind.DIGEST, Delivery.letter.type),
        Delivery.occasion: literal(OCCASION + digest.month),
        Delivery.address_hash: Donor.address_hash,
        Delivery.donor_id: Donor.id,
        Delivery.purpose: literal(Purpose.UPDATES, Delivery.purpose.type),
        Delivery.locale: func.coalesce(Donor.locale, first_language()),
        Delivery.state: literal(state, Delivery.state.type),
        Delivery.due_at: literal(now, Delivery.due_at.type),
        Delivery.attempts: literal(0),
        Delivery.created_at: literal(now, Delivery.created_at.type),
    }
    told = _told(digest, rows).with_only_columns(Donor.id)
    refusal = suppression.refusal(Purpose.UPDATES, None, agreed=true())
    readers = select(*values.values()).where(Donor.id.in_(told), refusal.is_(None))
    names = [column.key for column in values]
    new = insert(letters.DELIVERIES).from_select(names, readers.order_by(Donor.id))
    db.session.execute(new.on_conflict_do_nothing())


def _assign(digest: Digest, rows: Sequence[int]) -> None:
    """Note what each letter tells. One that is on its way already tells no more than it did."""
    whose = _told(digest, rows).join(Delivery, Delivery.donor_id == Donor.id)
    found = whose.where(
        Delivery.occasion == OCCASION + digest.month, Delivery.claimed_at.is_(None)
    ).with_only_columns(DigestItem.donor_id, DigestItem.update_id, Delivery.id)
    told = [
        {"donor": donor, "told": told, "by": by} for donor, told, by in db.session.execute(found)
    ]
    if told:
        db.session.execute(
            update(ITEMS)
            .where(ITEMS.c.donor_id == bindparam("donor"), ITEMS.c.update_id == bindparam("told"))
            .values(delivery_id=bindparam("by")),
            told,
        )


def _told(digest: Digest, rows: Sequence[int]) -> Select[int]:
    """What these rows may read now, each with the person (`Donor`) who reads it."""
    row = aliased(Donor)
    return (
        select(DigestItem.update_id)
        .select_from(DigestItem)
        .join(row, row.id == DigestItem.donor_id)
        .join(Donor, Donor.id == func.coalesce(row.merged_into, row.id))
        .join(Mailing, Mailing.id == DigestItem.mailing_id)
        .join(Update, Update.id == DigestItem.update_id)
        .where(_WAITING, DigestItem.donor_id.in_(rows), Mailing.started_at < digest.ends_at)
        .where(digested.worth_telling())
    )
