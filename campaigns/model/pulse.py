"""Pulses: when each part of the clockwork last did its work, for the page that says all is well."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Moment


class Pulse(Base):
    __tablename__ = "pulses"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
