"""Campaigns: what money is raised for."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.model.listing import Listing
from campaigns.model.organisation import Organisation
from campaigns.model.text import Texts
from campaigns.money import Money


class CampaignState(StrEnum):
    """draft: seen by staff only. live: raising. paused: shown, not raising. ended: raising is over.
    closed: the closing report is out and nothing more is expected."""

    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    CLOSED = "closed"


RAISING = frozenset({CampaignState.LIVE, CampaignState.PAUSED})
# Whose platforms are asked: of a draft nobody knows yet, of a closed one the last word is said.
ASKED_ABOUT = RAISING | {CampaignState.ENDED}


class Campaign(Base):
    """`target` is None where the campaign has none. `slug` is the current one of its history.

    `ended_at` is when raising was ended, None while it goes on.
    """

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[CampaignState] = mapped_column(choice(CampaignState), default=CampaignState.DRAFT)
    currency: Mapped[str] = mapped_column(String(3))
    target_minor: Mapped[int | None] = mapped_column("target", BigInteger)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    report_every_days: Mapped[int | None]
    filing_number: Mapped[str | None] = mapped_column(String(64))
    receiving_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    executing_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    default_locale: Mapped[str] = mapped_column(String(16), default="zh-Hans")
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    texts: Mapped[list["CampaignText"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )
    listings: Mapped[list[Listing]] = relationship(order_by=Listing.position)
    receiving: Mapped[Organisation | None] = relationship(foreign_keys=receiving_id)
    executing: Mapped[Organisation | None] = relationship(foreign_keys=executing_id)

    __table_args__ = (
        CheckConstraint("target > 0", name="target_positive"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("report_every_days > 0", name="report_every_days"),
    )

    @property
    def target(self) -> Money | None:
        return None if self.target_minor is None else Money(self.target_minor, self.currency)

    @property
    def public(self) -> bool:
        return self.state is not CampaignState.DRAFT

    def text(self, locale: str) -> "CampaignText":
        """The texts in `locale`, else in the campaign's default language, else in any."""
        return Texts(self.texts, self.default_locale).best(locale)


class CampaignText(Base):
    """`summary` is one plain sentence or two; `story` is Markdown."""

    __tablename__ = "campaign_texts"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(1000), default="")
    story: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (CheckConstraint("title <> ''", name="titled"),)


class CampaignSlug(Base):
    """Every slug a campaign ever had, with the current one: old links redirect, none is reused."""

    __tablename__ = "campaign_slugs"

    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), index=True
    )
