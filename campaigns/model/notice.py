"""Notices: the body of a webhook post exactly as it arrived, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice


class Verdict(StrEnum):
    """waiting: kept, to be booked by the worker. booked: in the ledger (or already there).
    nothing: it tells of no money that moved. left: a person decided that it is not booked.
    unmatched: its listing is unknown; a person assigns
    it. not_understood: signed, but of a type we do not know. conflict: its event id came before
    with another body, or a number of its money is in the ledger with another amount. returned:
    money that came again after its entry was reversed; a person decides. failed: booking gave up;
    a person looks."""

    WAITING = "waiting"
    BOOKED = "booked"
    NOTHING = "nothing"
    LEFT = "left"
    UNMATCHED = "unmatched"
    NOT_UNDERSTOOD = "not_understood"
    CONFLICT = "conflict"
    RETURNED = "returned"
    FAILED = "failed"


# What waits for a person, who assigns it, books it as it says, or leaves it.
UNSETTLED = (
    Verdict.UNMATCHED,
    Verdict.CONFLICT,
    Verdict.RETURNED,
    Verdict.FAILED,
    Verdict.NOT_UNDERSTOOD,
)


class Notice(Base):
    """Kept for good without its body; only validly signed notices are kept.

    Of several bodies under one event id the first is the event; the others name it in
    `contradicts`, and which came first is decided by a unique key.
    """

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id"))
    event_id: Mapped[str] = mapped_column(String(256))
    body_hash: Mapped[str] = mapped_column(String(64))
    headers: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(Moment)
    verdict: Mapped[Verdict] = mapped_column(choice(Verdict))
    reason: Mapped[str | None] = mapped_column(String(500))
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(Moment)
    contradicts: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))

    body: Mapped["NoticeBody | None"] = relationship(cascade="all, delete-orphan")

    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id", "body_hash"),
        Index(
            "uq_notices_event",
            "endpoint_id",
            "event_id",
            unique=True,
            sqlite_where=text("contradicts IS NULL"),
            postgresql_where=text("contradicts IS NULL"),
        ),
        Index("ix_notices_verdict", "verdict", "next_try_at"),
    )


class NoticeBody(Base):
    """The raw bytes. Retention and erasure delete this row and leave the notice."""

    __tablename__ = "notice_bodies"

    notice_id: Mapped[int] = mapped_column(
        ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)
