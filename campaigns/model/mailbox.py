"""Mailboxes that letters come back to: who reads one, when it is read next, and how it fares."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Moment


class MailboxReading(Base):
    """`name` is the mailbox's address without user and password. `failures` counts those since it
    was last read, the last for `failed_for`."""

    __tablename__ = "mailbox_readings"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(Moment)
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(default=0)
    failed_for: Mapped[str | None] = mapped_column(String(200))
