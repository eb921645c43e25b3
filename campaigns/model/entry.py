"""Entries: one movement of money each, never changed or deleted; and the numbers they go by."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaigns.db import Base, Id, Moment, choice
from campaigns.money import Money
from campaigns.platforms.base import Kind

# The ledger books what platforms and people speak of, kind by kind.
EntryKind = Kind
# What a public figure is made of (design §6); the other kinds explain where money went.
COUNTED = frozenset({EntryKind.DONATION, EntryKind.REFUND, EntryKind.CHARGEBACK, EntryKind.MATCH})


class MatchStage(StrEnum):
    """Matched money is announced, confirmed, then received; an announced match is not counted."""

    ANNOUNCED = "announced"
    CONFIRMED = "confirmed"
    RECEIVED = "received"


class Way(StrEnum):
    """How money that was entered by hand came."""

    CASH = "cash"
    BANK = "bank"
    OTHER = "other"


class Door(StrEnum):
    """Where an entry came in."""

    WEBHOOK = "webhook"
    FILE = "file"
    HAND = "hand"


class Entry(Base):
    """`amount_minor` carries its sign: what comes in is positive, refunds and what leaves negative.

    A reversal has the kind of what it reverses and the opposite amount; triggers check both, and
    refuse UPDATE and DELETE, and a listing that is none of the campaign's. `source` is the account
    the money came through. `day` is the organisation's day of `occurred_at`. `donations` is how
    many gifts the entry stands for. A fee that is given back is positive. An import's entries
    count once it does (`imported.stands`). `regards` is the key of the donation that a refund,
    chargeback or match is about. `replaces` is the entry that it books anew, which is reversed;
    `way` is said of what was entered by hand.
    """

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[EntryKind] = mapped_column(choice(EntryKind, "entry_kind"))
    stage: Mapped[MatchStage | None] = mapped_column(choice(MatchStage))
    amount_minor: Mapped[int] = mapped_column("amount", BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    donations: Mapped[int] = mapped_column(default=0)
    # Without foreign keys: a million looks at a parent cost more than the rows. Triggers look.
    campaign_id: Mapped[int] = mapped_column(Id)
    listing_id: Mapped[int | None] = mapped_column(Id)
    source: Mapped[str] = mapped_column(String(100))
    occurred_at: Mapped[datetime] = mapped_column(Moment)
    day: Mapped[date]
    booked_at: Mapped[datetime] = mapped_column(Moment)
    door: Mapped[Door] = mapped_column(choice(Door))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    import_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    import_row: Mapped[int | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reverses: Mapped[int | None] = mapped_column(ForeignKey("entries.id"), unique=True)
    replaces: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    regards: Mapped[str | None] = mapped_column(String(200))
    way: Mapped[Way | None] = mapped_column(choice(Way))
    reason: Mapped[str | None] = mapped_column(String(500))

    keys: Mapped[list["EntryKey"]] = relationship(
        viewonly=True, primaryjoin="Entry.id == foreign(EntryKey.entry_id)"
    )

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint(
            "kind = 'fee' OR reverses IS NOT NULL"
            " OR (amount > 0) = (kind IN ('donation', 'match', 'payout'))",
            name="sign",
        ),
        CheckConstraint(
            "listing_id IS NOT NULL OR kind IN ('payout', 'disbursement', 'expense', 'fee')",
            name="listed",
        ),
        CheckConstraint("(kind = 'match') = (stage IS NOT NULL)", name="stage"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("source <> ''", name="source"),
        Index("ix_entries_listing_occurred", "listing_id", "occurred_at"),
        Index("ix_entries_campaign_booked", "campaign_id", "id"),
        Index(
            "ix_entries_matches",
            "campaign_id",
            sqlite_where=text("kind = 'match'"),
            postgresql_where=text("kind = 'match'"),
        ),
        Index(
            "ix_entries_notice_id",
            "notice_id",
            sqlite_where=text("notice_id IS NOT NULL"),
            postgresql_where=text("notice_id IS NOT NULL"),
        ),
        Index(
            "ix_entries_regards",
            "regards",
            sqlite_where=text("regards IS NOT NULL"),
            postgresql_where=text("regards IS NOT NULL"),
        ),
        Index(
            "uq_entries_import_row",
            "import_id",
            "import_row",
            unique=True,
            sqlite_where=text("import_id IS NOT NULL AND reverses IS NULL"),
            postgresql_where=text("import_id IS NOT NULL AND reverses IS NULL"),
        ),
        # Of two people who book an entry anew at once, one is told of the other.
        Index(
            "uq_entries_replaces",
            "replaces",
            unique=True,
            sqlite_where=text("replaces IS NOT NULL"),
            postgresql_where=text("replaces IS NOT NULL"),
        ),
    )

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def counted(self) -> bool:
        """Whether public figures count it."""
        return self.kind in COUNTED and self.stage is not MatchStage.ANNOUNCED


class EntryKey(Base):
    """One number an entry is known by: the identity of money (design §5 rule 4).

    Rebooking moves it to the new entry; undoing an import releases it. No foreign key: entries are
    never deleted, and to look each up again costs an import more than to write the numbers.
    """

    __tablename__ = "entry_keys"

    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    entry_id: Mapped[int] = mapped_column(Id, index=True)
