"""Gifts: who gave an entry and what they wish shown, which may change or be erased."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, choice
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry


class Moderation(StrEnum):
    """A message is shown only after staff said so."""

    WAITING = "waiting"
    SHOWN = "shown"
    HIDDEN = "hidden"


class Gift(Base):
    """Anonymous in public unless `show_name` (design §5 rule 11).

    The entry is looked up by no foreign key: entries are never deleted, and to look for each would
    lock it, which costs an import more than to write the gift. `thanks_id` is the one letter that
    names the gift beside others of its day (campaigns/thanks.py).
    """

    __tablename__ = "gifts"

    entry_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    donor_id: Mapped[int | None] = mapped_column(ForeignKey("donors.id"), index=True)
    public_name: Mapped[str | None] = mapped_column(String(200))
    show_name: Mapped[bool] = mapped_column(default=False)
    message: Mapped[str | None] = mapped_column(String(1000))
    moderation: Mapped[Moderation] = mapped_column(choice(Moderation), default=Moderation.WAITING)
    thanks_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))

    entry: Mapped[Entry] = relationship(primaryjoin="Entry.id == foreign(Gift.entry_id)")
    donor: Mapped[Donor | None] = relationship()

    __table_args__ = (
        Index("ix_gifts_moderation", "moderation"),
        Index(
            "ix_gifts_thanks_id",
            "thanks_id",
            sqlite_where=text("thanks_id IS NOT NULL"),
            postgresql_where=text("thanks_id IS NOT NULL"),
        ),
    )
