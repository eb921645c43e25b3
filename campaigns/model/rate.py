"""Rates: what one unit of a currency was worth in another on a day."""

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Exact
from campaigns.money import CurrencyMismatch, Money, decimals


class Rate(Base):
    """One `base` is worth `rate` of `quote` on `day`, according to `source`."""

    __tablename__ = "rates"

    day: Mapped[date] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(String(3), primary_key=True)
    quote: Mapped[str] = mapped_column(String(3), primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Exact)
    source: Mapped[str] = mapped_column(String(200))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    def convert(self, amount: Money) -> Money:
        """What `amount` was worth in `quote`, rounded half to even. Raises `CurrencyMismatch`."""
        if amount.currency != self.base:
            raise CurrencyMismatch(f"A rate of {self.base} does not convert {amount.currency}.")
        exact = (amount.decimal * self.rate).scaleb(decimals(self.quote))
        return Money(int(exact.to_integral_value(ROUND_HALF_EVEN)), self.quote)
