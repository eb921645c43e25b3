"""Updates: text about one campaign, a numbered issue of the newsletter, or an appeal."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.model.text import Texts


class UpdateKind(StrEnum):
    UPDATE = "update"
    ISSUE = "issue"
    APPEAL = "appeal"


# What has a public page of its own once it was mailed, and a link to it in each letter. An appeal
# asks for money at one moment and is no news later.
ARCHIVED = frozenset({UpdateKind.UPDATE, UpdateKind.ISSUE})


class Update(Base):
    """Public from `published_at` on. What is archived is published at the latest when its first
    letter may go; what is taken down later stays mailed."""

    __tablename__ = "updates"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[UpdateKind] = mapped_column(choice(UpdateKind), default=UpdateKind.UPDATE)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    number: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    published_at: Mapped[datetime | None] = mapped_column(Moment)

    texts: Mapped[list["UpdateText"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    __table_args__ = (
        CheckConstraint("kind <> 'update' OR campaign_id IS NOT NULL", name="about_a_campaign"),
        UniqueConstraint("kind", "number"),
        Index("ix_updates_campaign_published", "campaign_id", "published_at"),
    )

    @property
    def archived(self) -> bool:
        """Whether whoever gets it as a letter may also read it on a public page."""
        return self.kind in ARCHIVED

    def text(self, locale: str, default_locale: str) -> "UpdateText":
        """The text in `locale`, else in `default_locale`, else in any."""
        return Texts(self.texts, default_locale).best(locale)


class UpdateText(Base):
    """`body` is Markdown."""

    __tablename__ = "update_texts"

    update_id: Mapped[int] = mapped_column(
        ForeignKey("updates.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(String(16), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (CheckConstraint("title <> ''", name="titled"),)
