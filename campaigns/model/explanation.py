"""Explanations: why a listing's reports and its entries disagree, as a person says."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment
from campaigns.money import Money


class Explanation(Base):
    """It explains the gap of that size up to that day; a gap of another size is a new question."""

    __tablename__ = "explanations"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id"))
    day: Mapped[date]
    gap_minor: Mapped[int] = mapped_column("gap", BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    note: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))

    __table_args__ = (Index("ix_explanations_listing_day", "listing_id", "day"),)

    @property
    def gap(self) -> Money:
        return Money(self.gap_minor, self.currency)
