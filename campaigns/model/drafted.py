"""Drafted: what the system began to write for people to finish, and what for."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.model.update import Update


class Occasion(StrEnum):
    """What an update is drafted for."""

    MILESTONE = "milestone"
    REPORT = "report"
    CLOSING = "closing"


class Drafted(Base):
    """Each occasion is drafted for once: its row stays, whatever becomes of the figure or the text.

    `number` tells occasions of one campaign apart: per cent of its target; the update that was its
    last report (0: there was none); 0 for the closing report. Milestones that were reached at once
    share an update. `reminded` is the last reminder that went out, in days before a report is due.
    """

    __tablename__ = "drafted"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    occasion: Mapped[Occasion] = mapped_column(choice(Occasion))
    number: Mapped[int] = mapped_column(Id)
    update_id: Mapped[int | None] = mapped_column(ForeignKey("updates.id"), index=True)
    drafted_at: Mapped[datetime] = mapped_column(Moment)
    reminded: Mapped[int | None]
    set_aside_at: Mapped[datetime | None] = mapped_column(Moment)
    set_aside_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    update: Mapped[Update | None] = relationship(lazy="joined")

    __table_args__ = (
        UniqueConstraint("campaign_id", "occasion", "number"),
        CheckConstraint("number >= 0", name="number"),
    )
