"""Totals: the sums of entries, kept in the transaction that adds each entry (design §6)."""

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, choice
from campaigns.model.entry import EntryKind

# A total is spread over this many rows, so that no row is one that every webhook waits for.
SLOTS = 16


class Total(Base):
    """The sum of a listing's entries of one kind, currency and organisation's day, in one slot."""

    __tablename__ = "totals"

    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[EntryKind] = mapped_column(choice(EntryKind, "entry_kind"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    amount_minor: Mapped[int] = mapped_column("amount", BigInteger)
    donations: Mapped[int]
    entries: Mapped[int]
