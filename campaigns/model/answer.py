"""Answers: what a platform said, as it said it, for staff to look at."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment


class RawAnswer(Base):
    """One that could not be read belongs to its failure; of the others each listing has its last.

    `body` is the beginning of what came, `size` how long the whole was in bytes.
    """

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id", ondelete="CASCADE"))
    failure_id: Mapped[int | None] = mapped_column(
        ForeignKey("poll_failures.id", ondelete="CASCADE"), unique=True
    )
    at: Mapped[datetime] = mapped_column(Moment)
    url: Mapped[str] = mapped_column(String(2048))
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]

    __table_args__ = (Index("ix_answers_listing_at", "listing_id", "at"),)
