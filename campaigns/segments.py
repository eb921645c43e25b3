"""Segments: whom a definition means, as one statement, and how many of them we may write to.

A person is one row of donors with those that were merged into it: what any of them gave, agreed to
or got counts for the person. Erased persons are in no segment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    cast,
    false,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from campaigns import figures, givers, suppression
from campaigns.db import db
from campaigns.model.consent import Consent, Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.organisation import first_language
from campaigns.model.segment import Conditions, Definition, Role
from campaigns.model.tag import DonorTag

# A letter of which nobody knows may have arrived, so it counts as received: nobody is written to
# twice by way of a segment either. What came back was not received.
_RECEIVED = (DeliveryState.SENT, DeliveryState.COMPLAINED, DeliveryState.UNKNOWN)
_BACK = (EntryKind.REFUND, EntryKind.CHARGEBACK)


@dataclass(frozen=True)
class Reach:
    """Of how many `people` a segment is, how many may be written to, and why not the others."""

    people: int
    written_to: int
    skipped: Mapping[str, int]


def members(definition: Mapping[str, Any], now: datetime) -> Select[int]:
    """The ids of the persons meant at `now`, as one statement, whether or not we may write to them.

    Raises `UnknownSegment`.
    """
    meant, today = Definition.read(definition), figures.day_of(now)
    person = aliased(Donor)
    there = or_(person.address.is_not(None), person.erased_at.is_(None))
    return select(person.id).where(
        person.merged_into.is_(None),
        there,
        *_true_of(person, meant.include, today),
        not_(or_(false(), *_true_of(person, meant.exclude, today))),
    )


def reach(
    definition: Mapping[str, Any], purpose: Purpose, campaign_id: int | None, now: datetime
) -> Reach:
    """How many are meant at `now`, and how many of them agreed to the purpose and have an address
    that gets letters. Raises `UnknownSegment`."""
    written_to, skipped = suppression.tally(members(definition, now), purpose, campaign_id)
    return Reach(written_to + sum(skipped.values()), written_to, skipped)


def people(
    definition: Mapping[str, Any],
    purpose: Purpose,
    campaign_id: int | None,
    now: datetime,
    limit: int,
) -> Sequence[tuple[Donor, str | None]]:
    """Some of the persons meant, who may be written to first, and why one may not."""
    refusal = suppression.passed_over(purpose, campaign_id)
    found = select(Donor, refusal).where(Donor.id.in_(members(definition, now)))
    ordered = found.order_by(refusal.is_not(None), Donor.id.desc()).limit(limit)
    return [(donor, why) for donor, why in db.session.execute(ordered)]


def _true_of(person: type[Donor], c: Conditions, today: date) -> list[ColumnElement[bool]]:
    """A clause for each thing that is asked of a person."""
    asked: list[ColumnElement[bool]] = [person.id.in_(some) for some in _said(c)]
    about_money = _gave_or_follows(person, c, today)
    if about_money is not None:
        asked.append(about_money)
    if c.languages:
        # As letters choose theirs.
        asked.append(func.coalesce(person.locale, first_language()).in_(c.languages))
    return asked


def _said(c: Conditions) -> list[Select[int]]:
    """Whom staff and post know by place, tag and letter, one statement for each condition."""
    found = []
    if c.places:
        row, whose = _row()
        lives = [row.place.icontains(place, autoescape=True) for place in c.places]
        found.append(select(whose).where(or_(*lives)))
    if c.tags:
        row, whose = _row()
        carried = select(whose).join(DonorTag, DonorTag.donor_id == row.id)
        found.append(carried.where(DonorTag.tag.in_(c.tags)))
    if c.mailings:
        row, whose = _row()
        got = select(whose).join(Delivery, Delivery.donor_id == row.id)
        state = Delivery.state.in_(_RECEIVED)
        found.append(got.where(Delivery.mailing_id.in_(c.mailings), state))
    return found


def _gave_or_follows(person: type[Donor], c: Conditions, today: date) -> ColumnElement[bool] | None:
    gave = person.id.in_(_givers(c, today))
    if c.role is Role.GAVE or (c.role is None and c.about_gifts):
        return gave
    if c.role is Role.FOLLOWS:
        return and_(person.id.in_(_followers(c)), not_(gave))
    return or_(gave, person.id.in_(_followers(c))) if c.campaigns else None


def _followers(c: Conditions) -> Select[int]:
    """Who ever agreed to updates of the campaigns, or where none are named to any letters."""
    row, whose = _row()
    agreed = select(whose).join(Consent, Consent.donor_id == row.id).where(Consent.given)
    if c.campaigns:
        about = Consent.campaign_id.in_(c.campaigns)
        return agreed.where(Consent.purpose == Purpose.UPDATES, about)
    return agreed.where(Consent.purpose.in_((Purpose.UPDATES, Purpose.NEWSLETTER)))


def _givers(c: Conditions, today: date) -> Select[int]:
    """Who gave as the conditions say. What was reversed or paid back in full was not given, what
    was paid back in part counts with the rest."""
    row, whose = _row()
    back = _paid_back()
    left = Entry.amount_minor + func.coalesce(back.c.amount, 0)
    meant = (
        select(whose)
        .select_from(Gift)
        .join(row, row.id == Gift.donor_id)
        .join(Entry, Entry.id == Gift.entry_id)
        .outerjoin(back, back.c.entry_id == Entry.id)
        .where(Entry.kind == EntryKind.DONATION, givers.stood(), left > 0)
        .where(*_within(left, c.size))
        .group_by(whose)
        .having(and_(*_over_all(c, left, today)))
    )
    if c.campaigns:
        meant = meant.where(Entry.campaign_id.in_(c.campaigns))
    if c.currency is not None:
        meant = meant.where(Entry.currency == c.currency)
    if c.platforms:
        on = select(Listing.id).where(Listing.platform.in_(c.platforms))
        meant = meant.where(Entry.listing_id.in_(on))
    return meant


def _over_all(c: Conditions, left: ColumnElement[int], today: date) -> list[ColumnElement[bool]]:
    """What is asked about all of a person's gifts that are meant."""
    last = func.max(Entry.day)
    asked = [func.count() > 0, *_within(func.count(), c.count), *_within(func.sum(left), c.total)]
    asked += _within(func.min(Entry.day), c.first) + _within(last, c.last)
    if c.lapsed is not None:
        asked.append(last < today - timedelta(days=c.lapsed))
    return asked


def _paid_back() -> Subquery:
    """What was paid back of each donation, as a negative amount.

    A refund names the donation by a key, "trade:2026…".
    """
    place = func.instr if db.engine.dialect.name == "sqlite" else func.strpos
    colon = place(Entry.regards, ":")
    # A cast, as for the sake of the column's own order SQLite would read every number that there is
    # and look for refunds of each.
    donation = cast(EntryKey.entry_id, Entry.id.type).label("entry_id")
    return (
        select(donation, func.sum(Entry.amount_minor).label("amount"))
        .select_from(Entry)
        .join(
            EntryKey,
            and_(
                EntryKey.source == Entry.source,
                EntryKey.scheme == func.substr(Entry.regards, 1, colon - 1),
                EntryKey.value == func.substr(Entry.regards, colon + 1),
            ),
        )
        .where(Entry.kind.in_(_BACK), Entry.regards.is_not(None), stands())
        .group_by(donation)
        .subquery()
    )


def _row() -> tuple[type[Donor], ColumnElement[int]]:
    """A row of donors, and the id of the person whose it is; merges make no chains."""
    row = aliased(Donor)
    return row, func.coalesce(row.merged_into, row.id)


def _within(value: ColumnElement[Any], bounds: Sequence[Any]) -> list[ColumnElement[bool]]:
    start, end = bounds
    asked = [] if start is None else [value >= start]
    return asked if end is None else [*asked, value <= end]
