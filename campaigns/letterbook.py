"""The letter-book: every letter with its state and why, counted and found among thousands."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from campaigns import letter_reasons, persons, suppression
from campaigns.db import db
from campaigns.mail.status import BOUNCES, Meaning
from campaigns.model.audit import AuditRecord
from campaigns.model.delivery import Attempt, Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.returned import Return
from campaigns.model.staff import Staff

# When a letter last got on: it got its outcome, was claimed, or was only written.
CHANGED = func.coalesce(Delivery.settled_at, Delivery.claimed_at, Delivery.created_at)


@dataclass(frozen=True)
class Sought:
    """Which letters: of a mailing, to a person, or (neither) those that belong to no mailing.

    Of what is given all must be true. `domain` is as rows keep it; `since` and `until` (not
    included) are about when the letter last got on.
    """

    mailing_id: int | None = None
    donor_id: int | None = None
    state: DeliveryState | None = None
    reason: str | None = None
    domain: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        """The conditions, about `Delivery` alone."""
        asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.state, lambda state: Delivery.state == state),
            (self.reason, lambda reason: letter_reasons.of() == reason),
            (self.domain, _at),
            (self.since, lambda since: since <= CHANGED),
            (self.until, lambda until: until > CHANGED),
        ]
        return [self._whose(), *(clause(value) for value, clause in asked if value)]

    def _whose(self) -> ColumnElement[bool]:
        if self.donor_id is not None:
            return Delivery.donor_id.in_(persons.rows_of(self.donor_id))
        return Delivery.mailing_id.is_not_distinct_from(self.mailing_id)


def counts(mailing: Mailing) -> list[tuple[DeliveryState, str | None, int]]:
    """How many of a mailing's letters are in each state and for which reason, most first."""
    of_it = Delivery.mailing_id == mailing.id
    each = select(Delivery.state, letter_reasons.of().label("reason")).where(of_it).subquery()
    number = func.count()
    rows = db.session.execute(
        select(each.c.state, each.c.reason, number)
        .group_by(each.c.state, each.c.reason)
        .order_by(number.desc(), each.c.state, each.c.reason)
    )
    return [(state, reason, count) for state, reason, count in rows]


def found(sought: Sought) -> Select[Delivery]:
    """The letters, in no order."""
    return select(Delivery).where(*sought.clauses())


def count(sought: Sought) -> int:
    return db.session.scalar(select(func.count(Delivery.id)).where(*sought.clauses())) or 0


def unwelcome(sought: Sought) -> int:
    """How many of these letters to donors may not be written any more."""
    refusal = suppression.refusal(Delivery.purpose, Delivery.campaign_id)
    theirs = select(func.count(Delivery.id)).join(Donor, Donor.id == Delivery.donor_id)
    return db.session.scalar(theirs.where(*sought.clauses(), refusal.is_not(None))) or 0


def rows(sought: Sought) -> Select[Any]:
    """The letters with all that a table of them holds, the newest first."""
    return (
        select(
            *Delivery.__table__.columns,
            CHANGED.label("changed_at"),
            letter_reasons.of().label("reason"),
            Donor.address,
            Donor.name,
            func.coalesce(func.nullif(Staff.name, ""), Staff.email).label("colleague"),
            _newest(Attempt.transport, Attempt).label("transport"),
            _newest(Attempt.code, Attempt).label("code"),
            _newest(Attempt.answer, Attempt).label("answer"),
            _newest(Return.answer, Return).label("came_back"),
        )
        .outerjoin(Donor, Donor.id == Delivery.donor_id)
        .outerjoin(Staff, Staff.id == Delivery.staff_id)
        .where(*sought.clauses())
        .order_by(Delivery.id.desc())
    )


def reasons(ids: Collection[int]) -> dict[int, str]:
    """Why each of these letters is in its state, where there is a why."""
    why = letter_reasons.of().label("why")
    asked = select(Delivery.id, why).where(Delivery.id.in_(ids))
    return {id: reason for id, reason in db.session.execute(asked) if reason}


def attempts(ids: Collection[int]) -> dict[int, list[Attempt]]:
    """Every attempt of each of these letters, the oldest first."""
    made: dict[int, list[Attempt]] = {id: [] for id in ids}
    asked = select(Attempt).where(Attempt.delivery_id.in_(made)).order_by(Attempt.id)
    for attempt in db.session.scalars(asked):
        made[attempt.delivery_id].append(attempt)
    return made


def deeds(delivery: Delivery) -> list[AuditRecord]:
    """What staff did about a letter, and about several of its mailing at once, the oldest first."""
    about = (AuditRecord.subject == "delivery") & (AuditRecord.subject_id == delivery.id)
    again = (AuditRecord.subject == "mailing") & (AuditRecord.subject_id == delivery.mailing_id)
    asked = select(AuditRecord).where(or_(about, again & (AuditRecord.action == "resend mailing")))
    done = db.session.scalars(asked.order_by(AuditRecord.id))
    of_one = {None, str(delivery.id)}
    return [deed for deed in done if deed.changes.get("letter", [None, None])[1] in of_one]


def _at(domain: str) -> ColumnElement[bool]:
    """Whether a letter goes to an address of the domain. Nobody knows of addresses forgotten."""
    there = f"@{domain}"
    donor = select(Donor.id).where(Donor.address.endswith(there, autoescape=True))
    staff = select(Staff.id).where(Staff.email.endswith(there, autoescape=True))
    return or_(
        donor.where(Donor.id == Delivery.donor_id).correlate(Delivery).exists(),
        staff.where(Staff.id == Delivery.staff_id).correlate(Delivery).exists(),
    )


def _newest(column: Any, of: type[Attempt] | type[Return]) -> Any:
    asked = select(column).where(of.delivery_id == Delivery.id).order_by(of.id.desc())
    if of is Return:
        asked = asked.where(Return.meaning.in_((*BOUNCES, Meaning.COMPLAINT)))
    return asked.limit(1).correlate(Delivery).scalar_subquery()
