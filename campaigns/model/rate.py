"""Rates: what one unit of a currency was worth in another on a day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Exact


class Rate(Base):
    """One `base` is worth `rate` of `quote` on `day`, according to `source`."""

    __tablename__ = "rates"

    day: Mapped[date] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(String(3), primary_key=True)
    quote: Mapped[str] = mapped_column(String(3), primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Exact)
    source: Mapped[str] = mapped_column(String(200))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
