"""Tags: words that staff keep beside donors, such as "volunteer", to select them by."""

import unicodedata

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base

LONGEST_TAG = 40  # characters
MOST_TAGS = 30  # of one donor


class DonorTag(Base):
    """A donor carries each tag once; tags are as `tag_of` makes them."""

    __tablename__ = "donor_tags"

    donor_id: Mapped[int] = mapped_column(
        ForeignKey("donors.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(LONGEST_TAG), primary_key=True)

    __table_args__ = (
        CheckConstraint("tag <> ''", name="tag"),
        Index("ix_donor_tags_tag", "tag", "donor_id"),
    )


def tag_of(text: str) -> str:
    """What somebody typed, as tags are kept: one line, in one form, without capitals."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
