"""Webhook endpoints: where an integration posts, with which secrets, and what it may book to."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.crypto import DataKeys
from campaigns.db import Base, Id, Moment
from campaigns.model.sealed import Sealed
from campaigns.platforms.scheme import Keys


class WebhookEndpoint(Base):
    """`name` is its last part in the URL. It books only within its campaign, or its one listing.

    `source` is the account its money comes through, so that a bill of the same account is
    recognised as the same money. `refused` counts posts that were not taken since it was opened,
    the last of them at about `refused_at`, for the `NoticeError` named in `refused_for`.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    scheme: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(100))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listings.id"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    heard_at: Mapped[datetime | None] = mapped_column(Moment)
    refused: Mapped[int] = mapped_column(default=0)
    refused_at: Mapped[datetime | None] = mapped_column(Moment)
    refused_for: Mapped[str | None] = mapped_column(String(40))

    secrets: Mapped[list["WebhookSecret"]] = relationship(lazy="selectin")

    __table_args__ = (
        CheckConstraint("(campaign_id IS NULL) <> (listing_id IS NULL)", name="bounds"),
    )

    def keys(self, data_keys: DataKeys, now: datetime) -> Keys:
        """What it verifies with at `now`, newest first. Raises `crypto.Undecryptable`."""
        valid = [one for one in self.secrets if one.expires_at is None or one.expires_at > now]
        valid.sort(key=lambda one: (one.created_at, one.id), reverse=True)
        secrets: dict[str, list[str]] = {}
        for one in valid:
            secrets.setdefault(one.name, []).append(one.unsealed(data_keys).decode())
        return Keys(secrets, self.settings)


class WebhookSecret(Sealed, Base):
    """A secret, sealed by DATA_KEYS; after a rotation the old one is valid until `expires_at`.

    `name` is what its scheme calls it, such as "public_key" or "key:PUB_KEY_ID_01…".
    """

    __tablename__ = "webhook_secrets"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100), default="secret")
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def bound(self) -> str:
        return f"webhook endpoint {self.endpoint_id}"
