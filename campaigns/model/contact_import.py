"""Imports of contacts: on what basis a file's people are written to. The people are donors."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice

# What the wordings of consents begin with that came by a file.
CONTACTS = "contacts"


class ContactImportState(StrEnum):
    REVIEW = "review"
    COMMITTED = "committed"
    DISCARDED = "discarded"


class ContactImport(Base):
    """Who asked the people of a file, when, how and in which words; consents name it for good.

    `purposes` are pairs of a purpose and a campaign's id, null for the newsletter. Of the file its
    hash stays; its bytes are kept under `file_id` while it is under review, and no longer.
    `counts` says how many rows had which verdict when it was committed.
    """

    __tablename__ = "contact_imports"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"), index=True)
    state: Mapped[ContactImportState] = mapped_column(choice(ContactImportState))
    purposes: Mapped[list[Any]] = mapped_column(JSON)
    asked_by: Mapped[str] = mapped_column(String(200))
    agreed_on: Mapped[date]
    how: Mapped[str] = mapped_column(String(500))
    words: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(String(16))
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        CheckConstraint("how <> '' AND words <> '' AND asked_by <> ''", name="basis"),
        CheckConstraint("(state = 'review') = (settled_at IS NULL)", name="settled"),
    )

    @property
    def wording(self) -> str:
        """What its consents call the words that were agreed to."""
        return f"{CONTACTS}:{self.id}"
