"""Imports: a platform's file under review, and what each of its rows would do and did."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from campaigns.db import Base, Id, Moment, choice
from campaigns.model.entry import Entry, EntryKind
from campaigns.money import Money


class ImportState(StrEnum):
    """reading: rows are being staged. review: a person looks. failed: the file cannot be read.
    committing: entries are being written, not yet counted. committed: counted. undoing: reversals
    are being written, not yet counted. undone: reversals count, keys are released. discarding:
    its rows are being deleted. discarded: nobody wanted it, rows and bytes are gone."""

    READING = "reading"
    REVIEW = "review"
    FAILED = "failed"
    COMMITTING = "committing"
    COMMITTED = "committed"
    UNDOING = "undoing"
    UNDONE = "undone"
    DISCARDING = "discarding"
    DISCARDED = "discarded"


class RowVerdict(StrEnum):
    """new: not in the ledger. booked: one of its numbers is, with the same amount. differs: with
    another amount or kind, or it came again after a reversal. ambiguous: its numbers lead to
    several entries, or it looks like one that is known by other numbers."""

    NEW = "new"
    BOOKED = "booked"
    DIFFERS = "differs"
    AMBIGUOUS = "ambiguous"
    NOT_A_DONATION = "not_a_donation"
    UNREADABLE = "unreadable"


class Decision(StrEnum):
    """What a person said about a row, over its verdict."""

    TAKE = "take"
    LEAVE = "leave"


class Import(Base):
    """`counted_at` is when its entries began to count, `undone_at` when its reversals did.

    `source` is the account its money came through, `listing_id` where all its rows belong; without
    it each row says so itself. `position` is how far the work of the present state has come, in
    rows; `leased_until` belongs to the worker that does it, and `moved_at` is when it last came
    further or a person moved it on. `footer` is what the file says of
    itself, `seen` what else it lets one choose: its charsets, members and headings. `decisions` is
    what a person said about all rows of a verdict and kind: [verdict, kind or null, decision].
    """

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    member: Mapped[str | None] = mapped_column(String(255))
    profile: Mapped[str] = mapped_column(String(32))
    mapping: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    charset: Mapped[str | None] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(100))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listings.id"))
    state: Mapped[ImportState] = mapped_column(choice(ImportState), default=ImportState.READING)
    reason: Mapped[str | None] = mapped_column(String(500))
    rows: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    footer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    decisions: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    covers_from: Mapped[date | None]
    covers_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    commit_at: Mapped[datetime | None] = mapped_column(Moment)
    committed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    counted_at: Mapped[datetime | None] = mapped_column(Moment)
    undo_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undo_reason: Mapped[str | None] = mapped_column(String(500))
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    discard_at: Mapped[datetime | None] = mapped_column(Moment)
    discarded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    discard_reason: Mapped[str | None] = mapped_column(String(500))
    moved_at: Mapped[datetime | None] = mapped_column(Moment)
    leased_until: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_imports_state", "state", "leased_until"),)


class ImportRow(Base):
    """One movement of the file. `position` counts them from zero; `number` is the file's row.

    `amount_minor` is positive as stated, except for a fee that is given back. `entry_id` is the
    entry that its numbers led to; the one it became is found by (import_id, import_row).
    `turned_at` is when the ledger contradicted it although it did not when a person looked. No
    foreign key, as givers have none: imports are never deleted, and `batches.advance` holds the
    import in the transaction that writes its rows.
    """

    __tablename__ = "import_rows"

    import_id: Mapped[int] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    verdict: Mapped[RowVerdict] = mapped_column(choice(RowVerdict))
    reason: Mapped[str | None] = mapped_column(String(300))
    decision: Mapped[Decision | None] = mapped_column(choice(Decision))
    kind: Mapped[EntryKind | None] = mapped_column(choice(EntryKind, "entry_kind"))
    amount_minor: Mapped[int | None] = mapped_column("amount", BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    occurred_at: Mapped[datetime | None] = mapped_column(Moment)
    day: Mapped[date | None]
    donations: Mapped[int] = mapped_column(default=0)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    listing_id: Mapped[int | None] = mapped_column(BigInteger)
    ref: Mapped[str | None] = mapped_column(String(200))
    line: Mapped[str | None] = mapped_column(String(200))
    trade: Mapped[str | None] = mapped_column(String(200))
    order: Mapped[str | None] = mapped_column("order_number", String(200))
    refund: Mapped[str | None] = mapped_column(String(200))
    request: Mapped[str | None] = mapped_column(String(200))
    fee: Mapped[str | None] = mapped_column(String(200))
    match: Mapped[str | None] = mapped_column("match_number", String(200))
    regards: Mapped[str | None] = mapped_column(String(200))
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    turned_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        Index(
            "ix_import_rows_turned",
            "import_id",
            "position",
            sqlite_where=text("turned_at IS NOT NULL"),
            postgresql_where=text("turned_at IS NOT NULL"),
        ),
        # Small: only what waits for a person stands in it.
        Index(
            "ix_import_rows_unplaced",
            "import_id",
            "position",
            sqlite_where=text("verdict = 'new' AND listing_id IS NULL"),
            postgresql_where=text("verdict = 'new' AND listing_id IS NULL"),
        ),
        # A table without hidden row ids needs one tree of pages instead of two.
        {"sqlite_with_rowid": False},
    )

    @property
    def amount(self) -> Money | None:
        """As stated; None where the row could not be read."""
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)


class ImportGiver(Base):
    """Who gave, as the file says: a row of its own, which retention and erasure delete.

    `address_hash` is there where `email` is an address that can be written to.
    """

    __tablename__ = "import_givers"

    import_id: Mapped[int] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    message: Mapped[str | None] = mapped_column(String(1000))
    address_hash: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = ({"sqlite_with_rowid": False},)


class SavedMapping(Base):
    """How a treasurer said once that a platform's columns are called."""

    __tablename__ = "mappings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __table_args__ = (UniqueConstraint("name"),)


def stands() -> ColumnElement[bool]:
    """Whether an `Entry` counts: one that an import writes does from the moment the import does.

    Every question about entries asks this too, so that an import is all or nothing to whoever
    reads. A reversal that carries an import was made by undoing it.
    """
    counted = select(Import.id).where(Import.counted_at.is_not(None))
    undone = select(Import.id).where(Import.undone_at.is_not(None))
    return or_(
        Entry.import_id.is_(None),
        and_(Entry.reverses.is_(None), Entry.import_id.in_(counted)),
        and_(Entry.reverses.is_not(None), Entry.import_id.in_(undone)),
    )


def waits() -> ColumnElement[bool]:
    """Whether an `ImportRow` waits for a person who says which listing its money belongs to."""
    # As the partial index says it.
    unplaced = text("import_rows.verdict = 'new' AND import_rows.listing_id IS NULL")
    return and_(unplaced, _undecided())


def turned() -> ColumnElement[bool]:
    """Whether an `ImportRow` waits since the ledger contradicted it while it was being booked."""
    return and_(ImportRow.turned_at.is_not(None), _undecided())


def _undecided() -> ColumnElement[bool]:
    """Of a committed import, not left out and not booked since."""
    committed = select(Import.id).where(Import.state == ImportState.COMMITTED)
    booked = select(Entry.id).where(
        Entry.import_id == ImportRow.import_id, Entry.import_row == ImportRow.position
    )
    return and_(
        ImportRow.import_id.in_(committed),
        ImportRow.decision.is_distinct_from(Decision.LEAVE),
        ~booked.exists(),
    )
