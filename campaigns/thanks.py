"""Thanks: for each gift a letter at once, or one for each donor and day that names them all.

How it is done is decided when a gift is kept, in its transaction: a later change of the rule
thanks nobody twice. A gift stands in one row, which can be in one gathered letter only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, case, exists, false, func, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns import conversion, figures, hours, letters, standstill
from campaigns.db import db
from campaigns.letters import Letter
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.organisation import (
    THANKS_AT,
    THANKS_CURRENCY,
    Organisation,
    ThanksRule,
)
from campaigns.money import Money

# What the occasions of letters begin with that name the gifts of a day.
GATHERED = "gifts:"
GIFTS = cast(Table, Gift.__table__)
_BACK = (EntryKind.REFUND, EntryKind.CHARGEBACK)


@dataclass(frozen=True, slots=True)
class Owed:
    """A gift that was just kept. `amount` is None where a person asked for thanks, rule or not.

    `of` is the gift's own moment: thanks for one that comes again after the database was set back
    may have been sent before. `locale` is the language that came with it.
    """

    donor: Donor
    entry_id: int
    campaign_id: int
    locale: str | None
    amount: Money | None
    of: datetime | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What staff decided. `at`: when gathered letters go, in minutes of the donor's day."""

    how: ThanksRule
    at: int
    least: Money


def queue_all(owed: Sequence[Owed], now: datetime) -> None:
    """Queue thanks for gifts that were just kept, by the rule of this moment.

    What may have been thanked for in a history that is lost gets an unknown letter of its own.
    """
    if not owed:
        return
    rule = _rule()
    asked = [one for one in owed if one.amount is None or _by_rule(one, one.amount, rule, now)]
    doubtful = {one.entry_id for one in asked if one.of and standstill.in_doubt(one.of)}
    gathers = rule.how is ThanksRule.GATHERED
    single = [one for one in asked if one.entry_id in doubtful or not gathers]
    letters.queue_all([_letter(one, one.entry_id in doubtful) for one in single], now)
    if gathers:
        kept = hours.ours()
        # In one order, so that of two at once one waits for the other.
        for one in sorted(asked, key=lambda one: (one.donor.id, one.entry_id)):
            if one.entry_id not in doubtful and one.donor.address:
                _gather(one, rule.at, kept, now)


def named(delivery_id: int) -> list[Entry]:
    """What a gathered letter thanks for: the gifts put into it that were not given back."""
    rows = (
        select(Entry)
        .join(Gift, Gift.entry_id == Entry.id)
        .where(Gift.thanks_id == delivery_id, _standing(Gift.entry_id))
        .order_by(Entry.occurred_at, Entry.id)
    )
    return list(db.session.scalars(rows))


def taken_back() -> ColumnElement[bool]:
    """Whether nothing is left that a letter of thanks (the statement's) is for, as a clause."""
    left = exists().where(Gift.thanks_id == Delivery.id, _standing(Gift.entry_id))
    # A letter that was in somebody's hands when its gift was booked anew did not go with it.
    anew = exists().where(Entry.replaces == Delivery.entry_id)
    return case(
        (Delivery.entry_id.is_not(None), and_(~_standing(Delivery.entry_id), ~anew)),
        (Delivery.occasion.startswith(GATHERED), ~left),
        else_=false(),
    )


def _rule() -> Rule:
    row = db.session.execute(
        select(
            Organisation.thanks,
            Organisation.thanks_at,
            Organisation.thanks_from_minor,
            Organisation.thanks_currency,
        ).where(Organisation.ours)
    ).one_or_none()
    if row is None:
        return Rule(ThanksRule.AT_ONCE, THANKS_AT, Money.zero(THANKS_CURRENCY))
    how, at, minor, currency = row
    return Rule(how, at, Money(minor, currency))


def _by_rule(one: Owed, amount: Money, rule: Rule, now: datetime) -> bool:
    """Another currency is compared at the rate of the gift's day; where none is known, thanks go:
    a figure is never guessed, and a letter too many is better than a donor who hears nothing."""
    if rule.how is ThanksRule.NONE:
        return False
    if rule.least.minor == 0:
        return True
    day = None if amount.currency == rule.least.currency else figures.day_of(one.of or now)
    dated = [(amount, day)]
    currency = rule.least.currency
    total, apart = conversion.rates(dated, [currency]).sum(dated, currency)
    return bool(apart) or total.minor >= rule.least.minor


def _letter(one: Owed, doubtful: bool) -> Letter:
    return Letter(
        LetterKind.THANKS,
        one.donor,
        Purpose.RECEIPTS,
        f"entry:{one.entry_id}",
        one.locale,
        one.campaign_id,
        one.entry_id,
        state=DeliveryState.UNKNOWN if doubtful else DeliveryState.QUEUED,
    )


def _gather(one: Owed, at: int, kept: hours.Hours, now: datetime) -> None:
    """Into the letter of the day that ends next where the donor lives, or that of a later one."""
    day = now.date() - timedelta(days=1)  # it may still be that day there
    while (due := _due(day, at, kept, one.donor)) <= now:
        day += timedelta(days=1)
    while (letter_id := _open_letter(one, day, due, now)) is None:
        day += timedelta(days=1)
        due = _due(day, at, kept, one.donor)
    once = update(GIFTS).where(GIFTS.c.entry_id == one.entry_id, GIFTS.c.thanks_id.is_(None))
    db.session.execute(once.values(thanks_id=letter_id))


def _due(day: date, at: int, kept: hours.Hours, donor: Donor) -> datetime:
    return kept.moment(datetime.combine(day, time(*divmod(at, 60))), donor.timezone)


def _open_letter(one: Owed, day: date, due: datetime, now: datetime) -> int | None:
    """The donor's letter of a day, held until the transaction ends; None once it was claimed.

    A claim passes over what is held, and who waits here for a claim finds the letter closed.
    """
    occasion = f"{GATHERED}{one.donor.id}:{day}"
    made = Letter(LetterKind.THANKS, one.donor, Purpose.RECEIPTS, occasion, one.locale, due_at=due)
    letters.queue_all([made], now)
    still_open = (
        select(Delivery.id)
        .where(Delivery.mailing_id.is_(None), Delivery.occasion == occasion)
        .where(Delivery.address_hash == one.donor.address_hash, Delivery.due_at > now)
        .where(Delivery.state == DeliveryState.QUEUED, Delivery.attempts == 0)
        .with_for_update()
    )
    return db.session.scalar(still_open)


def _standing(
    entry_id: SQLCoreOperations[int] | SQLCoreOperations[int | None],
) -> ColumnElement[bool]:
    """Whether a gift was neither taken back nor refunded whole, as a clause."""
    entry, reversal, back, key = (
        aliased(Entry),
        aliased(Entry),
        aliased(Entry),
        aliased(EntryKey),
    )
    refunded = (
        select(func.coalesce(func.sum(back.amount_minor), 0))
        .join(key, key.source == back.source)
        .where(key.entry_id == entry.id, back.kind.in_(_BACK), back.currency == entry.currency)
        .where(back.regards == key.scheme.concat(":").concat(key.value))
        .correlate(entry)
        .scalar_subquery()
    )
    return exists().where(
        entry.id == entry_id,
        ~exists().where(reversal.reverses == entry.id),
        entry.amount_minor + refunded > 0,
    )
