"""Mailings: a text, a segment and an hour; and the text frozen at approval."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.model.consent import Purpose
from campaigns.model.text import Texts
from campaigns.model.update import Update


class MailingState(StrEnum):
    """The life of a mailing (design §7). `missed` waits for a person."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MISSED = "missed"


FINAL = frozenset({MailingState.SENT, MailingState.CANCELLED, MailingState.EXPIRED})


class Mailing(Base):
    """`segment` is the definition of who gets it, frozen with the text and sender at approval.

    `skipped` counts by reason who of the segment was not written to. `grace_seconds` is how late
    it may start before it counts as missed. `paused_from` is the state it goes back to.
    `local_time` is what clocks show where a donor lives when their letter goes
    ("2026-11-23T09:00"); without it all go at `scheduled_at`, with it that is when the first do.
    """

    __tablename__ = "mailings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose))
    segment: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[MailingState] = mapped_column(choice(MailingState), default=MailingState.DRAFT)
    paused_from: Mapped[MailingState | None] = mapped_column(String(24))
    note: Mapped[str | None] = mapped_column(String(1000))
    sender: Mapped[str | None] = mapped_column(String(320))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    approved_at: Mapped[datetime | None] = mapped_column(Moment)
    scheduled_at: Mapped[datetime | None] = mapped_column(Moment)
    local_time: Mapped[str | None] = mapped_column(String(16))
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    grace_seconds: Mapped[int] = mapped_column(default=3600)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    skipped: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(Moment)

    update: Mapped[Update] = relationship()
    texts: Mapped[list["MailingText"]] = relationship(cascade="all, delete-orphan")

    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'in_review', 'cancelled') OR approved_at IS NOT NULL",
            name="approved_before_it_goes",
        ),
        CheckConstraint(
            "state IN ('draft', 'in_review', 'approved', 'cancelled') OR scheduled_at IS NOT NULL",
            name="scheduled_before_it_goes",
        ),
        Index("ix_mailings_due", "state", "scheduled_at"),
    )

    def is_by(self, staff_id: int) -> bool:
        """Whether they made this mailing or wrote its words, so that another must approve it."""
        return staff_id in (self.author_id, self.update.author_id)

    def text(self, locale: str, default_locale: str) -> "MailingText":
        """The frozen text in `locale`, else in `default_locale`, else in any."""
        return Texts(self.texts, default_locale).best(locale)


class MailingText(Base):
    """One language of a mailing as it was approved: Markdown with everything live filled in."""

    __tablename__ = "mailing_texts"

    mailing_id: Mapped[int] = mapped_column(
        ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
