"""Donors: who gives or follows, one row a person's address."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment


class Donor(Base):
    """`address` is the normalised one and is erased on wish; `address_hash` outlives it.

    A merged donor keeps its row and points to the one it was merged into. `place` is where they
    live, as they or staff write it: "广东 深圳"; whoever erases the address erases it and the tags.
    `monthly`: what is mailed comes as one letter a month (campaigns/digests.py).
    """

    __tablename__ = "donors"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str | None] = mapped_column(String(320))
    address_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    name: Mapped[str | None] = mapped_column(String(200))
    locale: Mapped[str | None] = mapped_column(String(16))
    timezone: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[str | None] = mapped_column(String(120))
    monthly: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Moment)
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("donors.id"), index=True)
    erased_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("address IS NULL OR address_hash IS NOT NULL", name="address_hashed"),
        CheckConstraint("merged_into <> id", name="not_merged_into_itself"),
    )
