"""Listings: a campaign's page on one platform, and how it is asked."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice
from campaigns.platforms import generic


class Rule(StrEnum):
    """What a listing's figure rests on (design §6)."""

    REPORTED = "reported"
    ITEMISED = "itemised"


class Asking(StrEnum):
    """asked: the poller asks. by_hand: staff enter reports. refused: the platform said no; staff
    enter reports. ended: its figures are final."""

    ASKED = "asked"
    BY_HAND = "by_hand"
    REFUSED = "refused"
    ENDED = "ended"


class Told(StrEnum):
    """What staff were last written about a listing; nothing once they were told that it is over."""

    STALE = "stale"
    BROKEN = "broken"
    REFUSED = "refused"
    DUE = "due"


class Listing(Base):
    """`external_id` is the platform's name for it, `host` whom the poller asks.

    `next_poll_at` is also the poller's lease. `way` names one of several that a platform can be
    asked by, `how` holds what `generic` needs to read an answer. `opens_at` and `closes_at` are
    minutes of the day in `zone` (the organisation's without one); both or none are set.
    """

    __tablename__ = "listings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    platform: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(2048))
    currency: Mapped[str] = mapped_column(String(3))
    rule: Mapped[Rule] = mapped_column(choice(Rule), default=Rule.REPORTED)
    asking: Mapped[Asking] = mapped_column(choice(Asking), default=Asking.ASKED)
    position: Mapped[int] = mapped_column(default=0)
    host: Mapped[str] = mapped_column(String(255), default="", index=True)
    way: Mapped[str | None] = mapped_column(String(32))
    how: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # The contract of freshness (campaigns/cadence.py).
    period_seconds: Mapped[int] = mapped_column(default=600)
    grace_seconds: Mapped[int] = mapped_column(default=660)
    zone: Mapped[str | None] = mapped_column(String(64))
    opens_at: Mapped[int | None]
    closes_at: Mapped[int | None]
    asked_days_after: Mapped[int] = mapped_column(default=30)
    # A figure that is more than so many times the last one is held; None for no such guard. A new
    # row of which None is said keeps it, as it does where the tolerance is: only silence means 10.
    jump_factor: Mapped[int | None] = mapped_column(Integer().evaluates_none(), default=10)
    # Whether a fall that the next report confirms is believed without a person.
    accept_falls: Mapped[bool] = mapped_column(default=False)
    told: Mapped[Told | None] = mapped_column(
        Enum(
            Told,
            native_enum=False,
            create_constraint=False,
            length=16,
            values_callable=lambda members: [member.value for member in members],
        )
    )
    next_poll_at: Mapped[datetime | None] = mapped_column(Moment)
    asked_at: Mapped[datetime | None] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(default=0)
    etag: Mapped[str | None] = mapped_column(String(512))
    last_modified: Mapped[str | None] = mapped_column(String(64))
    # A gap up to this much, or no older than this, needs no explanation (reconciliation). Without
    # an amount nothing is compared: not every platform tells of each gift.
    tolerance_minor: Mapped[int | None] = mapped_column(
        "tolerance", BigInteger().evaluates_none(), default=0
    )
    tolerance_days: Mapped[int] = mapped_column(default=3)
    # Up to and with which of the organisation's days its reports were thinned (thinning.py).
    hourly_until: Mapped[date | None]
    daily_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def called(self) -> str | None:
        """What a platform that only this listing knows is called; None for every other.

        Staff may have given it a name; else it goes by its server's.
        """
        return (
            ((self.how or {}).get("name") or self.host) if self.platform == generic.NAME else None
        )

    __table_args__ = (
        UniqueConstraint("platform", "external_id"),
        # Entries name both, so that an entry's listing is always one of its campaign's.
        UniqueConstraint("id", "campaign_id"),
        CheckConstraint("period_seconds >= 10", name="period"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("grace_seconds >= 0", name="grace_seconds"),
        CheckConstraint("opens_at BETWEEN 0 AND 1439", name="opens_at"),
        CheckConstraint("closes_at BETWEEN 0 AND 1439", name="closes_at"),
        CheckConstraint("asked_days_after >= 0", name="asked_days_after"),
        CheckConstraint("jump_factor >= 2", name="jump_factor"),
        CheckConstraint("told IN ('stale', 'broken', 'refused', 'due')", name="told"),
        Index(
            "ix_listings_due",
            "next_poll_at",
            sqlite_where=text("asking = 'asked'"),
            postgresql_where=text("asking = 'asked'"),
        ),
    )

    @property
    def period(self) -> timedelta:
        """The usual one, which its campaign's end and festivals change (campaigns/cadence.py)."""
        return timedelta(seconds=self.period_seconds)


class PollFailure(Base):
    """One question that brought no figure: when, why, and how the platform answered."""

    __tablename__ = "poll_failures"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(Moment)
    condition: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(500))

    __table_args__ = (Index("ix_poll_failures_listing_at", "listing_id", "at"),)
