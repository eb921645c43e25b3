"""Conversion: amounts of other currencies, by the rate of the day they belong to (design §6)."""

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.rate import Rate
from campaigns.money import Money

# An amount and the day whose rate converts it; None where none is needed.
Dated = tuple[Money, date | None]


class Rates:
    """The rates that some figures may need."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates = {(rate.day, rate.base, rate.quote): rate for rate in rates}

    def sum(self, amounts: Iterable[Dated], currency: str) -> tuple[Money, tuple[Money, ...]]:
        """Everything that converts at the rate of its day, and the rest as it is: no guesses."""
        total, apart = Money.zero(currency), []
        for amount, day in amounts:
            rate = None if day is None else self._rates.get((day, amount.currency, currency))
            if amount.currency == currency:
                total += amount
            elif rate is not None:
                total += rate.convert(amount)
            else:
                apart.append(amount)
        return total, tuple(apart)


def rates(amounts: Iterable[Dated], quotes: Collection[str]) -> Rates:
    """The rates that convert these amounts to any of `quotes`; asks nothing if none is needed."""
    wanted = [
        (day, amount.currency)
        for amount, day in amounts
        if day is not None and set(quotes) - {amount.currency}
    ]
    if not wanted:
        return Rates([])
    days, bases = {day for day, _ in wanted}, {base for _, base in wanted}
    between = Rate.day.between(min(days), max(days))
    asked = select(Rate).where(between, Rate.base.in_(bases), Rate.quote.in_(quotes))
    return Rates(db.session.scalars(asked))
