"""Mail hooks: where providers tell what became of letters, with the secret they are known by."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaigns import crypto
from campaigns.crypto import DataKeys
from campaigns.db import Base, Id, Moment


class MailHook(Base):
    """`name` is its last part in the URL; `heard_at` when it last told something that was taken."""

    __tablename__ = "mail_hooks"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    heard_at: Mapped[datetime | None] = mapped_column(Moment)

    def seal(self, data_keys: DataKeys, secret: str) -> None:
        """Keep the secret so that only a hook of this name can be opened with it."""
        self.sealed = crypto.encrypt(data_keys, secret.encode(), f"mail hook {self.name}")

    def secret(self, data_keys: DataKeys) -> str:
        """Raises `crypto.Undecryptable`."""
        return crypto.decrypt(data_keys, self.sealed, f"mail hook {self.name}").decode()


class UsedToken(Base):
    """A token that came with a body: with another one it is not taken again."""

    __tablename__ = "used_tokens"

    hook_id: Mapped[int] = mapped_column(
        ForeignKey("mail_hooks.id", ondelete="CASCADE"), primary_key=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
