"""Signing keys: what letters of a sender's domain are signed with (DKIM)."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment
from campaigns.model.sealed import Sealed


class SigningKey(Sealed, Base):
    """Letters are signed with it once `since` is set: first its DNS record has to be known."""

    __tablename__ = "signing_keys"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    selector: Mapped[str] = mapped_column(String(63))
    since: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("domain", "selector"),)

    @property
    def bound(self) -> str:
        return f"signing key {self.selector}.{self.domain}"
