"""Rates: what staff enter so that amounts in other currencies can be converted (design §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from campaigns import audit
from campaigns.db import db
from campaigns.model.rate import Rate
from campaigns.model.staff import Staff
from campaigns.money import decimals
from campaigns.platforms.base import N_

# Ten digits on either side: enough for any pair, and what converts fits the ledger.
_SMALLEST, _LARGEST = Decimal("1e-10"), Decimal("1e10")


class BadRate(ValueError):
    """The rate cannot be one; the message says why."""


@dataclass(frozen=True)
class Quote:
    """One `base` was worth `rate` of `quote` on `day`, according to `source`."""

    day: date
    base: str
    quote: str
    rate: Decimal
    source: str


def enter(quote: Quote, now: datetime, by: Staff) -> Rate:
    """Keep a rate; one of the same day and pair is replaced, with an audit record of both.

    The same a second time changes nothing. Raises `BadRate`, and `BadMoney` for a currency that
    is none.
    """
    _check(quote)
    row = db.session.get(Rate, (quote.day, quote.base, quote.quote))
    before = row and (row.rate, row.source)
    if row is not None and before == (quote.rate, quote.source):
        return row
    row = db.session.merge(Rate(**vars(quote), staff_id=by.id))
    db.session.flush()
    subject = f"{quote.day} {quote.base} {quote.quote}"
    changes = {subject: (before and before[0], quote.rate)}
    audit.record("entered rate", row, now, by=by, changes=changes)
    return row


@dataclass(frozen=True)
class Row:
    """One rate of a table: kept (`before` is the one it replaces), known already, or refused."""

    number: int
    quote: Quote
    before: Decimal | None = None
    known: bool = False
    refusal: str | None = None


def enter_all(quotes: Sequence[tuple[int, Quote]], now: datetime, by: Staff) -> list[Row]:
    """Keep the rates of a table, by the numbers of its rows; as `enter` does each.

    Where one is refused the others are looked at all the same, so that everything can be said at
    once; the transaction is to be rolled back then. A day and pair stand in a table once.
    """
    kept = _kept([quote for _number, quote in quotes])
    rows, seen = [], dict[tuple[date, str, str], int]()
    for number, quote in quotes:
        key = (quote.day, quote.base, quote.quote)
        row = _looked_at(number, quote, kept.get(key), seen.setdefault(key, number))
        rows.append(row)
        if row.known or row.refusal:
            continue
        made = kept.get(key) or Rate(day=quote.day, base=quote.base, quote=quote.quote)
        made.rate, made.source, made.staff_id = quote.rate, quote.source, by.id
        db.session.add(made)
        changes = {f"{quote.day} {quote.base} {quote.quote}": (row.before, quote.rate)}
        audit.record("entered rate", made, now, by=by, changes=changes)
    db.session.flush()
    return rows


def newest(limit: int = 100) -> list[Rate]:
    """The rates entered, newest day first."""
    return list(
        db.session.scalars(
            select(Rate).order_by(Rate.day.desc(), Rate.base, Rate.quote).limit(limit)
        )
    )


def _kept(quotes: Sequence[Quote]) -> dict[tuple[date, str, str], Rate]:
    """The rates that stand for any of these days and pairs."""
    if not quotes:
        return {}
    days = [quote.day for quote in quotes]
    rows = db.session.scalars(
        select(Rate).where(
            Rate.day.between(min(days), max(days)), Rate.base.in_({one.base for one in quotes})
        )
    )
    return {(row.day, row.base, row.quote): row for row in rows}


def _looked_at(number: int, quote: Quote, row: Rate | None, first: int) -> Row:
    if first != number:
        return Row(
            number, quote, refusal=N_("This day and pair of currencies stand above already.")
        )
    try:
        _check(quote)
    except BadRate as error:
        return Row(number, quote, refusal=str(error))
    if row is None:
        return Row(number, quote)
    known = (row.rate, row.source) == (quote.rate, quote.source)
    return Row(number, quote, before=row.rate, known=known)


def _check(quote: Quote) -> None:
    decimals(quote.base)
    decimals(quote.quote)
    if quote.base == quote.quote:
        raise BadRate(N_("A rate is between two currencies."))
    if not quote.rate.is_finite() or not _SMALLEST <= quote.rate <= _LARGEST:
        raise BadRate(N_("A rate is a number above zero, such as 7.1052."))
    if -int(quote.rate.as_tuple().exponent) > 10:
        raise BadRate(N_("A rate has at most ten decimals."))
    if not quote.source.strip() or len(quote.source) > 200:
        raise BadRate(N_("Say where the rate comes from, in at most 200 characters."))
