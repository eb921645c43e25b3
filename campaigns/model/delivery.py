"""Deliveries: one letter's row, claimed before it is sent; and its attempts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.crypto import token_hash
from campaigns.db import Base, Id, Moment, choice
from campaigns.mail.address import Mailbox
from campaigns.model.consent import Purpose
from campaigns.model.donor import Donor


class DeliveryState(StrEnum):
    """unknown: its worker died, or the relay fell silent, after the final dot may have been sent;
    a person or a bounce settles it, it is never sent again by itself (design §5 rule 5)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


# A delivery in one of these has no outcome yet; a mailing with one is not "sent" (promise P2).
OPEN = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED})

# How long a letter without an expiry of its own is tried (RFC 5321 §4.5.4.1: four to five days).
LONGEST_TRIED = timedelta(days=5)


class LetterKind(StrEnum):
    """What the letter is; `mailing` takes its text from the mailing, the others from templates."""

    MAILING = "mailing"
    THANKS = "thanks"
    CONFIRM = "confirm"
    RESET = "reset"
    ALERT = "alert"
    TEST = "test"
    DIGEST = "digest"


class Delivery(Base):
    """Unique by (mailing, address hash, occasion): a donor never gets the same letter twice.

    `occasion` is empty for mailings, else what caused the letter: "entry:7", "digest:2026-11". The
    address itself is read from the donor (or member of staff) at the claim. `token_hash` belongs
    to the random token of its links, made at the claim; `earlier_token_hash` keeps alive the links
    of a letter that staff sent again, in case the first one did arrive. `claimed_by` names
    the process.
    """

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    letter: Mapped[LetterKind] = mapped_column(choice(LetterKind))
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("mailings.id"))
    occasion: Mapped[str] = mapped_column(String(120), default="")
    address_hash: Mapped[str] = mapped_column(String(64), index=True)
    donor_id: Mapped[int | None] = mapped_column(ForeignKey("donors.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose))
    locale: Mapped[str] = mapped_column(String(16))
    state: Mapped[DeliveryState] = mapped_column(
        choice(DeliveryState), default=DeliveryState.QUEUED
    )
    due_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    earlier_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    donor: Mapped[Donor | None] = relationship()

    __table_args__ = (
        Index(
            "uq_deliveries_once",
            func.coalesce(mailing_id, 0),
            "address_hash",
            "occasion",
            unique=True,
        ),
        CheckConstraint("(letter = 'mailing') = (mailing_id IS NOT NULL)", name="mailing"),
        CheckConstraint("(mailing_id IS NULL) = (occasion <> '')", name="occasion"),
        CheckConstraint("(donor_id IS NULL) <> (staff_id IS NULL)", name="recipient"),
        CheckConstraint("(state = 'sending') = (claimed_by IS NOT NULL)", name="claim"),
        # Service letters first, then by their hour.
        Index("ix_deliveries_due", "state", "due_at"),
        Index("ix_deliveries_mailing", "mailing_id", "state", "due_at"),
    )


class Attempt(Base):
    """Append-only: one try to hand a letter over, and the answer with addresses masked."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    transport: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[DeliveryState] = mapped_column(choice(DeliveryState))
    code: Mapped[int | None]
    answer: Mapped[str] = mapped_column(String(500), default="")


@dataclass(frozen=True, slots=True)
class Claim:
    """A letter in one process's hands, with what it is composed from.

    `token` is known to nobody else; rows keep its hash.
    """

    id: int
    by: str
    token: str
    letter: LetterKind
    occasion: str
    mailing_id: int | None
    campaign_id: int | None
    entry_id: int | None
    locale: str
    to: Mailbox
    attempts: int
    expires_at: datetime

    @property
    def token_hash(self) -> str:
        return token_hash(self.token)
