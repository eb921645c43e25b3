"""What came back for a letter, and how much came that belongs to no letter of ours."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.mail.status import Meaning
from campaigns.model.delivery import Delivery


class Return(Base):
    """Append-only: one message or notice that came back for a letter, through which `door`.

    `key` tells messages apart: the same one counts once for a letter. `status` is a code such as
    5.1.1 and `answer` what a relay said, addresses masked; nothing else of a message is kept.
    """

    __tablename__ = "returns"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    door: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(64))
    meaning: Mapped[Meaning] = mapped_column(choice(Meaning))
    status: Mapped[str] = mapped_column(String(16), default="")
    answer: Mapped[str] = mapped_column(String(500), default="")

    delivery: Mapped[Delivery] = relationship()

    __table_args__ = (
        UniqueConstraint("delivery_id", "key"),
        Index("ix_returns_meaning", "meaning", "at"),
    )


class Stray(Base):
    """How often something came through a door and was of no letter, by the reason."""

    __tablename__ = "strays"

    door: Mapped[str] = mapped_column(String(80), primary_key=True)
    reason: Mapped[str] = mapped_column(String(24), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(Moment)
