"""Images: pictures for texts, as they are served to anybody."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment

# By media type, what an image's address ends in.
ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


class Image(Base):
    """`name` is the SHA-256 of the octets that are served, which never change. `alt` says what it
    shows. One that was erased keeps its row, so that its address says that it is gone."""

    __tablename__ = "images"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"), index=True)
    media_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    alt: Mapped[str] = mapped_column(String(300))
    uploaded_at: Mapped[datetime] = mapped_column(Moment)
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    erased_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (CheckConstraint("width > 0 AND height > 0 AND size > 0", name="measures"),)

    @property
    def path(self) -> str:
        """Its public address below the site's."""
        return f"/images/{self.name}.{ENDINGS[self.media_type]}"
