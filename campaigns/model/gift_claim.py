"""Claims of gifts: who says that a gift was theirs, by a number that only its giver should know."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor


class GiftClaim(Base):
    """`number` is what was typed on the page of `campaign`, where nobody looked it up; of a claim
    that was confirmed it is one that the money keeps.

    It stands from `confirmed_at`, when the button behind the letter's link was pressed and the
    gift became `donor`'s, until staff release it. `entry_id` is the gift, which may be booked anew.
    From `worded_at` on the name and message shown with the gift are the claimant's own words.
    """

    __tablename__ = "gift_claims"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    number: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"), index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    worded_at: Mapped[datetime | None] = mapped_column(Moment)
    released_at: Mapped[datetime | None] = mapped_column(Moment)

    campaign: Mapped[Campaign] = relationship()
    donor: Mapped[Donor] = relationship()

    __table_args__ = (
        CheckConstraint("(confirmed_at IS NULL) = (entry_id IS NULL)", name="confirmed"),
        CheckConstraint("released_at IS NULL OR confirmed_at IS NOT NULL", name="released"),
    )

    @property
    def stands(self) -> bool:
        return self.confirmed_at is not None and self.released_at is None
