"""Corrections: the dated reason for which a published figure fell."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice
from campaigns.money import Money


class Cause(StrEnum):
    REVERSAL = "reversal"
    VERDICT = "verdict"
    RULE = "rule"


class Correction(Base):
    """Append-only. `before` and `after` are the listing's published figures."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    cause: Mapped[Cause] = mapped_column(choice(Cause))
    before_minor: Mapped[int] = mapped_column("before", BigInteger)
    after_minor: Mapped[int] = mapped_column("after", BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(500))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))

    __table_args__ = (
        CheckConstraint("reason <> ''", name="reasoned"),
        Index("ix_corrections_listing_at", "listing_id", "at"),
        Index(
            "ix_corrections_report_id",
            "report_id",
            sqlite_where=text("report_id IS NOT NULL"),
            postgresql_where=text("report_id IS NOT NULL"),
        ),
    )

    @property
    def before(self) -> Money:
        return Money(self.before_minor, self.currency)

    @property
    def after(self) -> Money:
        return Money(self.after_minor, self.currency)
