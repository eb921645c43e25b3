"""Timelines: which history a database's rows belong to, and when it was set back."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice


class TimelineCause(StrEnum):
    """put back: somebody laid an older copy in the database's place by hand."""

    NEW = "new"
    RESTORED = "restored"
    PUT_BACK = "put_back"


class Timeline(Base):
    """The newest row is the one in force, as a timeline of PostgreSQL: a restore begins another.

    `name` is random, so that a copy of the database is known again and a new one is not mistaken
    for it. `as_of` is the moment that restored rows are of. `letters` became unknown and `mailings`
    were stopped. Until a person confirms it, staff are told.
    """

    __tablename__ = "timelines"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    cause: Mapped[TimelineCause] = mapped_column(choice(TimelineCause))
    began_at: Mapped[datetime] = mapped_column(Moment)
    as_of: Mapped[datetime | None] = mapped_column(Moment)
    letters: Mapped[int] = mapped_column(default=0)
    mailings: Mapped[int] = mapped_column(default=0)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
