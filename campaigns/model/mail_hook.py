"""Mail hooks: where providers tell what became of letters, with the secret they are known by."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment
from campaigns.model.sealed import Sealed


class MailHook(Sealed, Base):
    """`name` is its last part in the URL; `heard_at` when it last told something that was taken."""

    __tablename__ = "mail_hooks"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Moment)
    heard_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def bound(self) -> str:
        return f"mail hook {self.name}"


class UsedToken(Base):
    """A token that came with a body: with another one it is not taken again."""

    __tablename__ = "used_tokens"

    hook_id: Mapped[int] = mapped_column(
        ForeignKey("mail_hooks.id", ondelete="CASCADE"), primary_key=True
    )
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
