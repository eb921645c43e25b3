"""Giving festivals: days in which figures move fast, so that platforms are asked more often."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment


class Festival(Base):
    """From `starts_at` until before `ends_at` every listing is asked at least by this period."""

    __tablename__ = "festivals"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    period_seconds: Mapped[int]

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("period_seconds >= 10", name="period"),
    )

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=self.period_seconds)
