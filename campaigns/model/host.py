"""Hosts that are asked: how often each may be, how it fares, and who is asking it just now."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment


class Host(Base):
    """One server, by its name and port. `rests_until` is when it may be asked again at all.

    `at_once` and `a_minute` bound the questions of all workers together (design §11).
    """

    __tablename__ = "hosts"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    at_once: Mapped[int] = mapped_column(default=8)
    a_minute: Mapped[int] = mapped_column(default=240)
    failures: Mapped[int] = mapped_column(default=0)
    rests_until: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("at_once > 0", name="at_once"),
        CheckConstraint("a_minute > 0", name="a_minute"),
    )


class Turn(Base):
    """One question to a host: under way until it is answered, and at the latest `until`.

    It is of no listing where somebody tries out how a page could be read. One `ahead` waits at the
    worker that took it, and takes the place of another one of its host's there when that is over.
    """

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    listing_id: Mapped[int | None] = mapped_column(
        ForeignKey("listings.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    ahead: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (Index("ix_turns_host_at", "host", "at"),)
