"""Suppressions: addresses that get nothing, kept by hash so that they outlive erasure."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Moment, choice


class SuppressionCause(StrEnum):
    """left: asked to leave everything. Service letters are still written to one who only left."""

    LEFT = "left"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    STAFF = "staff"


class Suppression(Base):
    __tablename__ = "suppressions"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    cause: Mapped[SuppressionCause] = mapped_column(choice(SuppressionCause), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))
