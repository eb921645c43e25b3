"""Placements: rules that a person made, of the listing that unnamed money belongs to."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice


class PlacedBy(StrEnum):
    """order: the merchant's own number begins with it. ref: what names the campaign is just it."""

    ORDER = "order"
    REF = "ref"


class Placement(Base):
    """Money of `source` whose order begins with, or whose reference is, `text`: to this listing."""

    __tablename__ = "placements"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(100))
    by: Mapped[PlacedBy] = mapped_column(choice(PlacedBy))
    text: Mapped[str] = mapped_column(String(200))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __table_args__ = (UniqueConstraint("source", "by", "text"),)
