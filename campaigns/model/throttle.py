"""Throttles: how often somebody tried something lately, as rows shared by all processes."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Moment


class Throttle(Base):
    """`subject` is a keyed hash of who (address, IP) and what; the window begins at `since`."""

    __tablename__ = "throttles"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int]
