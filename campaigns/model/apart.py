"""Told apart: that two donors who look alike are two people, as staff said."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Moment
from campaigns.model.donor import Donor
from campaigns.model.staff import Staff


class Apart(Base):
    """The older row first, so that a pair stands here once. Deleted when staff take it back."""

    __tablename__ = "told_apart"

    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    donor: Mapped[Donor] = relationship(foreign_keys=donor_id)
    other: Mapped[Donor] = relationship(foreign_keys=other_id)
    staff: Mapped[Staff | None] = relationship()

    __table_args__ = (CheckConstraint("donor_id < other_id", name="older_first"),)
