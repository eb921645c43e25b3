"""Consents: what a donor agreed to or withdrew, per purpose."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice


class Purpose(StrEnum):
    """updates: of one campaign. newsletter: of the organisation. receipts: thanks for a gift.
    service: letters a person asked for or needs (confirm, reset, alert); no consent is asked."""

    UPDATES = "updates"
    NEWSLETTER = "newsletter"
    RECEIPTS = "receipts"
    SERVICE = "service"


class ConsentSource(StrEnum):
    FORM = "form"
    WEBHOOK = "webhook"
    FILE = "file"
    STAFF = "staff"
    LETTER = "letter"


class Consent(Base):
    """Append-only; the newest row of (donor, purpose, campaign) is what stands.

    `wording` is the version of the text agreed to (PIPL art. 14).
    """

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"))
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    given: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Moment)
    source: Mapped[ConsentSource] = mapped_column(choice(ConsentSource))
    wording: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))

    __table_args__ = (
        CheckConstraint("purpose <> 'service'", name="purpose_needs_consent"),
        CheckConstraint("(purpose = 'updates') = (campaign_id IS NOT NULL)", name="campaign"),
        Index("ix_consents_standing", "donor_id", "purpose", "campaign_id", "id"),
        Index("ix_consents_campaign", "campaign_id", "purpose"),
    )
