"""Merges: that two rows of donors are one person, as staff said; each can be undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment
from campaigns.model.donor import Donor


class Merge(Base):
    """`donor_id` is one person with `into_id`, whose row stays the person's.

    `moved` holds what undoing has to put back, by ids only: the consents that were written for the
    row that stays, the causes of suppressions added to it, and the letters that were sent on.
    """

    __tablename__ = "merges"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    moved: Mapped[dict[str, Any]] = mapped_column(JSON)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    donor: Mapped[Donor] = relationship(foreign_keys=donor_id)
    into: Mapped[Donor] = relationship(foreign_keys=into_id)

    __table_args__ = (CheckConstraint("donor_id <> into_id", name="two"),)
