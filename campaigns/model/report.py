"""Reports: what a platform says a listing has raised, at one moment."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice
from campaigns.money import Money


class ReportState(StrEnum):
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class Origin(StrEnum):
    ASKED = "asked"
    BY_HAND = "by_hand"


class Report(Base):
    """`moment` is when the figure was true, `received_at` when we learnt it.

    `matched` is matched money that the platform states beside what donors gave.
    `reason` says why it was quarantined, and after a verdict why it was accepted or rejected.
    A quarantined figure may be anything the platform said, zero and negative too, or absent.
    One that `lags` was less than its page showed with what had been booked: it is true, and the
    page goes on from the report before (docs/decisions/0044).
    """

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id", ondelete="CASCADE"))
    moment: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    raised_minor: Mapped[int | None] = mapped_column("raised", BigInteger)
    matched_minor: Mapped[int | None] = mapped_column("matched", BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    donations: Mapped[int | None]
    origin: Mapped[Origin] = mapped_column(choice(Origin), default=Origin.ASKED)
    state: Mapped[ReportState] = mapped_column(choice(ReportState))
    lags: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(String(500))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    # When staff were written that it waits for them (campaigns/watching.py).
    told_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint(
            "state <> 'accepted' OR (raised IS NOT NULL AND raised >= 0)",
            name="accepted_has_figure",
        ),
        CheckConstraint("matched >= 0", name="matched"),
        Index("ix_reports_listing_moment", "listing_id", "state", "moment"),
        Index("ix_reports_state", "state", "listing_id"),
    )

    @property
    def whole(self) -> Money | None:
        """What donors gave and what was matched, together: what a listing's page shows."""
        if self.raised is None:
            return None
        return self.raised + (self.matched or Money.zero(self.currency))

    @property
    def matched(self) -> Money | None:
        return None if self.matched_minor is None else Money(self.matched_minor, self.currency)

    @property
    def raised(self) -> Money | None:
        return None if self.raised_minor is None else Money(self.raised_minor, self.currency)
