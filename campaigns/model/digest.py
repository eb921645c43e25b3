"""Digests: one letter a month to who chose that, instead of each update and issue by itself."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Moment


class Digest(Base):
    """A month's. It tells what was mailed before `ends_at`, the month's end where we are.

    `due_at` is the morning from which on its letters go, `finished_at` when the last was written.
    """

    __tablename__ = "digests"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (CheckConstraint("length(month) = 7", name="month"),)


class DigestFigure(Base):
    """Where a campaign stood when a digest began, in one language: Markdown, frozen as a mailing's
    text is, so that every letter of the digest, and each try of one, says the same."""

    __tablename__ = "digest_figures"

    month: Mapped[str] = mapped_column(
        ForeignKey("digests.month", ondelete="CASCADE"), primary_key=True
    )
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class DigestItem(Base):
    """An update that a donor reads in a digest, in the words of `mailing_id`; each one once.

    It is set aside where the mailing would have written to them; `delivery_id` is the letter that
    tells it, None as long as it waits for one.
    """

    __tablename__ = "digest_items"

    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), primary_key=True)
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id"), index=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))

    # A letter's items, and with no letter those that wait, by donor.
    __table_args__ = (Index("ix_digest_items_delivery_donor", "delivery_id", "donor_id"),)
