"""Transports: relays that letters go out by; and how fast, to them and to recipients' domains."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment
from campaigns.model.sealed import Sealed

# The lengths that limits are counted over, in seconds.
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class Limited:
    """How many letters in any second, minute, hour and day; None where it does not matter."""

    per_second: Mapped[int | None]
    per_minute: Mapped[int | None]
    per_hour: Mapped[int | None]
    per_day: Mapped[int | None]

    @property
    def limits(self) -> Mapping[str, int]:
        """The limits there are, by the names of `PERIODS`."""
        found = {period: getattr(self, f"per_{period}") for period in PERIODS}
        return {period: most for period, most in found.items() if most is not None}


def _sensible() -> tuple[CheckConstraint, ...]:
    return tuple(CheckConstraint(f"per_{each} > 0", name=f"per_{each}") for each in PERIODS)


class MailTransport(Limited, Sealed, Base):
    """A relay, whose address is sealed, since the password is in it. Letters go by those of the
    lowest `rank` that are neither paused nor resting, and among them in proportion to `share`.
    `trouble` is why it rests, or rested last, until it works."""

    __tablename__ = "transports"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    rank: Mapped[int] = mapped_column(default=1)
    share: Mapped[int] = mapped_column(default=1)
    paused: Mapped[bool] = mapped_column(default=False)
    trouble: Mapped[str | None] = mapped_column(String(300))
    rests_until: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("rank > 0", name="rank"),
        CheckConstraint("share > 0", name="share"),
        *_sensible(),
    )

    @property
    def bound(self) -> str:
        return f"transport {self.name}"


class MailDomain(Limited, Base):
    """A recipients' domain that staff set limits for, or that asked us to come later.

    While `gap_ms` is not nought, letters to it keep that distance: the next from `next_at` on.
    """

    __tablename__ = "mail_domains"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    gap_ms: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    slowed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (CheckConstraint("gap_ms >= 0", name="gap_ms"), *_sensible())


class Draw(Base):
    """Letters claimed in one slice of time, counted against a limit; none after `until`."""

    __tablename__ = "draws"

    scope: Mapped[str] = mapped_column(String(300), primary_key=True)
    period: Mapped[str] = mapped_column(String(8), primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    drawn: Mapped[int]
    until: Mapped[datetime] = mapped_column(Moment, index=True)
