"""Signing keys: what letters of a sender's domain are signed with (DKIM)."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from campaigns import crypto
from campaigns.crypto import DataKeys
from campaigns.db import Base, Id, Moment


class SigningKey(Base):
    """Letters are signed with it once `since` is set: first its DNS record has to be known."""

    __tablename__ = "signing_keys"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    domain: Mapped[str] = mapped_column(String(255))
    selector: Mapped[str] = mapped_column(String(63))
    sealed: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (UniqueConstraint("domain", "selector"),)

    def seal(self, data_keys: DataKeys, private: bytes) -> None:
        self.sealed = crypto.encrypt(data_keys, private, self._purpose)

    def private(self, data_keys: DataKeys) -> bytes:
        """Raises `crypto.Undecryptable`."""
        return crypto.decrypt(data_keys, self.sealed, self._purpose)

    @property
    def _purpose(self) -> str:
        return f"signing key {self.selector}.{self.domain}"
