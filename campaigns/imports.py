"""Imports: a file to review, what people decide about it, and the moment it is committed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update

from campaigns import audit, batches, donors, figures, ledger
from campaigns.batches import ROWS
from campaigns.bookings import Booking, LedgerError
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.entry import COUNTED, Door, EntryKind, MatchStage
from campaigns.model.file import File
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import (
    Decision,
    Import,
    ImportGiver,
    ImportRow,
    ImportState,
    RowVerdict,
    SavedMapping,
    waits,
)
from campaigns.model.listing import Listing, Rule
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Key
from campaigns.verdicts import SIGNED

LONGEST_NAME = 255
# An import whose settings may change, and that may be committed.
OPEN = (ImportState.REVIEW, ImportState.FAILED)


class NotOpen(Exception):
    """The import is not under review, so this cannot be done to it now."""


class NotCommitted(Exception):
    """Only an import that is committed can be undone, or its waiting rows assigned."""


class NotTakeable(ValueError):
    """Rows of this verdict cannot be taken: the message says what to do instead."""


@dataclass(frozen=True)
class Reading:
    """How a file is to be read. What is None or empty is guessed, or taken from the file."""

    profile: str
    source: str = ""
    listing_id: int | None = None
    mapping: dict[str, Any] | None = None
    charset: str | None = None
    member: str | None = None


@dataclass(frozen=True)
class Effect:
    """A listing's published figure now, and as it would be or was made by the import."""

    listing: Listing
    now: Money
    then: Money
    rows: int


@dataclass
class Counts:
    """How many rows there are of each verdict, and how many of them would be booked or wait."""

    by_verdict: dict[RowVerdict, int] = field(default_factory=dict)
    planned: int = 0
    unplaced: int = 0


def add(
    file: File,
    name: str,
    reading: Reading,
    now: datetime,
    by: Staff | None,
    leased_until: datetime | None = None,
) -> Import:
    """Begin to import a kept file: a worker reads it. Each call is another import.

    `of_file` tells whether the same file came before. `leased_until` keeps workers away from one
    that the caller reads itself.
    """
    one = Import(
        file_id=file.id,
        name=(name or "file")[-LONGEST_NAME:],
        created_at=now,
        staff_id=by.id if by else None,
        state=ImportState.READING,
        leased_until=leased_until,
        **_settings(reading),
    )
    db.session.add(one)
    db.session.flush()
    audit.record("added import", one, now, by=by, changes={"file": (None, file.sha256)})
    return one


def of_file(file: File) -> list[Import]:
    """The imports of just these bytes, newest first."""
    return list(
        db.session.scalars(
            select(Import).where(Import.file_id == file.id).order_by(Import.id.desc())
        )
    )


def read_again(one: Import, reading: Reading, now: datetime, by: Staff | None) -> None:
    """Read the file anew, otherwise. What was decided about its rows is forgotten.

    Raises `NotOpen` for one that is not under review, as it is not the second time.
    """
    before = {name: getattr(one, name) for name in _settings(reading)}
    given = {"position": 0, "rows": 0, "decisions": [], "reason": None, "leased_until": None}
    _move(one, OPEN, ImportState.READING, **given, **_settings(reading))
    changes = {
        name: (before[name], value)
        for name, value in _settings(reading).items()
        if before[name] != value
    }
    audit.record("read import again", one, now, by=by, changes=changes)


def decide(
    one: Import, positions: Collection[int], decision: Decision | None, now: datetime, by: Staff
) -> int:
    """Say of single rows that they are to be booked or left, or take that back; how many it met.

    To take is for rows that are ambiguous since another entry looks like them, and for those that
    are no donation but have all that booking needs. What differs is corrected at its entry, by
    hand and one by one. Raises `NotOpen`.
    """
    _demand(one, ImportState.REVIEW)
    which: list[Any] = [ROWS.c.import_id == one.id, ROWS.c.position.in_(list(positions))]
    if decision is Decision.TAKE:
        which.append(text(f"({_TAKEABLE})"))
    done = db.session.execute(update(ROWS).where(*which).values(decision=decision))
    met: int = done.rowcount  # type: ignore[attr-defined]
    audit.record(
        "decided rows", one, now, by=by, changes={"rows": (None, f"{met} {decision or 'as read'}")}
    )
    return met


def decide_all(
    one: Import,
    verdict: RowVerdict,
    kind: EntryKind | None,
    decision: Decision | None,
    now: datetime,
    by: Staff,
) -> None:
    """Say it of all rows of a verdict, and kind if given; what is said of a single row wins.

    The second time it replaces what was said. Raises `NotOpen`, and `NotTakeable` for a verdict
    none of whose rows can be taken.
    """
    _demand(one, ImportState.REVIEW)
    if decision is Decision.TAKE and verdict not in _MAY_BE_TAKEN:
        raise NotTakeable("Rows that differ are corrected at their entries, one by one.")
    said: list[list[Any]] = [
        rule for rule in one.decisions if (rule[0], rule[1]) != (verdict.value, kind and kind.value)
    ]
    if decision is not None:
        said.append([verdict.value, kind and kind.value, decision.value])
    # Rules about a kind come before those about all kinds.
    one.decisions = sorted(said, key=lambda rule: rule[1] is None)
    about = f"{verdict}{f' {kind}' if kind else ''}"
    audit.record("decided rows", one, now, by=by, changes={about: (None, decision or "as read")})


def commit(one: Import, now: datetime, by: Staff | None) -> None:
    """Let a worker write the entries and count them. Raises `NotOpen`, also the second time."""
    _move(
        one,
        (ImportState.REVIEW,),
        ImportState.COMMITTING,
        position=0,
        leased_until=None,
        commit_at=now,
        committed_by=by.id if by else None,
    )
    audit.record("committed import", one, now, by=by)


def undo(one: Import, reason: str, now: datetime, by: Staff) -> None:
    """Let a worker take the entries back and release their numbers.

    Raises `NotCommitted`, also the second time, and ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("Undoing needs a reason.")
    try:
        _move(
            one,
            (ImportState.COMMITTED,),
            ImportState.UNDOING,
            position=0,
            leased_until=None,
            undo_at=now,
            undone_by=by.id,
            undo_reason=reason.strip()[:500],
        )
    except NotOpen as error:
        raise NotCommitted(str(error)) from error
    audit.record("undo import", one, now, by=by, changes={"reason": (None, reason.strip())})


def counts(one: Import) -> Counts:
    """Its rows by verdict; of a large import this takes a second."""
    planned, said = batches.planned(one.decisions), batches.decided(one.decisions)
    unplaced = f"listing_id IS NULL AND verdict = 'new' AND COALESCE({said}, 'take') = 'take'"
    found = Counts(dict.fromkeys(RowVerdict, 0))
    rows = batches.run(
        f"SELECT verdict, count(*), sum(CASE WHEN {planned} THEN 1 ELSE 0 END),"  # noqa: S608
        f" sum(CASE WHEN {unplaced} THEN 1 ELSE 0 END)"
        " FROM import_rows WHERE import_id = :id GROUP BY verdict",
        id=one.id,
    )
    for verdict, number, ready, waiting in rows:
        found.by_verdict[RowVerdict(verdict)] = number
        found.planned += int(ready)
        found.unplaced += int(waiting)
    return found


def effects(one: Import) -> list[Effect]:
    """What committing would do to the figure of each listing that it books to, by its rule."""
    planned = batches.planned(one.decisions)
    ids = batches.run(
        "SELECT listing_id, count(*) FROM import_rows "  # noqa: S608
        f"WHERE import_id = :id AND {planned} GROUP BY listing_id ORDER BY listing_id",
        id=one.id,
    ).all()
    listings = {one.id: one for one in _listings([row[0] for row in ids])}
    found = figures.of(list(listings.values()))
    shown = []
    for listing_id, rows in ids:
        listing, figure = listings[listing_id], found[listing_id]
        now = figure.raised(listing.currency)
        moment = figure.report.moment if figure.report else None
        then = now + _added(one, listing, moment)
        shown.append(Effect(listing, now, then, rows))
    return shown


def waiting_rows(most: int = 50) -> list[ImportRow]:
    """Rows of committed imports that name no listing and wait for a person."""
    in_order = ImportRow.import_id, ImportRow.position
    return list(
        db.session.scalars(select(ImportRow).where(waits()).order_by(*in_order).limit(most))
    )


def assign(
    rows: Sequence[ImportRow], listing: Listing, now: datetime, by: Staff | None
) -> dict[int, str]:
    """Book rows of committed imports that waited for a listing; what the ledger refuses, by why.

    The keys of the answer are the rows' positions. The second time the ledger knows them.
    """
    refused = {}
    for row in rows:
        one = db.session.get_one(Import, row.import_id)
        if one.state is not ImportState.COMMITTED:
            raise NotCommitted("The import is not committed.")
        try:
            booked = ledger.book(_booking(one, row, listing, by), now)
        except (LedgerError, ValueError) as error:
            refused[row.position] = str(error)
            continue
        row.listing_id, row.campaign_id = listing.id, listing.campaign_id
        row.entry_id = booked.entry_id
        if booked.already:
            row.verdict = RowVerdict.BOOKED
        elif row.kind is EntryKind.DONATION:
            _keep_gift(row, booked.entry_id, now)
    audit.record(
        "assigned rows", listing, now, by=by, changes={"rows": (None, len(rows) - len(refused))}
    )
    db.session.flush()
    return refused


def save_mapping(name: str, mapping: dict[str, Any], now: datetime, by: Staff) -> SavedMapping:
    """Keep how columns are called under a name; the second time in place of the first."""
    kept = db.session.scalar(select(SavedMapping).where(SavedMapping.name == name))
    if kept is None:
        kept = SavedMapping(name=name, mapping=mapping, created_at=now, staff_id=by.id)
        db.session.add(kept)
    kept.mapping = mapping
    db.session.flush()
    audit.record("saved mapping", kept, now, by=by)
    return kept


_MAY_BE_TAKEN = (RowVerdict.NEW, RowVerdict.AMBIGUOUS, RowVerdict.NOT_A_DONATION)
_TAKEABLE = "verdict IN ('new', 'not_a_donation') OR verdict = 'ambiguous' AND entry_id IS NOT NULL"


def _settings(reading: Reading) -> dict[str, Any]:
    return {
        "profile": reading.profile,
        "source": reading.source,
        "listing_id": reading.listing_id,
        "mapping": reading.mapping,
        "charset": reading.charset,
        "member": reading.member,
    }


def _demand(one: Import, state: ImportState) -> None:
    if one.state is not state:
        raise NotOpen(f"The import is {one.state}.")


def _move(one: Import, states: Collection[ImportState], state: ImportState, **more: Any) -> None:
    """One conditional statement, so that of two at once one finds it done."""
    moved = db.session.scalar(
        update(Import)
        .where(Import.id == one.id, Import.state.in_(states))
        .values(state=state, **more)
        .returning(Import.id)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(one)
    if moved is None:
        raise NotOpen(f"The import is {one.state}.")


def _added(one: Import, listing: Listing, after: datetime | None) -> Money:
    """What the import's rows add to a listing's figure: under `reported` only what came later."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(COUNTED))
    later = "AND occurred_at > :now" if after is not None and listing.rule is Rule.REPORTED else ""
    given = {"now": after} if later else {}
    minor = batches.run(
        f"SELECT sum({SIGNED}) FROM import_rows WHERE import_id = :id AND listing_id = :listing "  # noqa: S608
        f"AND currency = :currency AND kind IN ({kinds}) {later} "
        f"AND {batches.planned(one.decisions)}",
        id=one.id,
        listing=listing.id,
        currency=listing.currency,
        **given,
    ).scalar()
    return Money(int(minor or 0), listing.currency)


def _listings(ids: Collection[int]) -> Sequence[Listing]:
    return db.session.scalars(select(Listing).where(Listing.id.in_(ids))).all()


def _keep_gift(row: ImportRow, entry_id: int, now: datetime) -> None:
    """Who gave, as the file says. As with the rows of a commit nobody is thanked."""
    giver = db.session.get(ImportGiver, (row.import_id, row.position))
    if giver is None:
        return
    donor_id = None
    if giver.address_hash and giver.email:
        person = {giver.address_hash: (Address.parse(giver.email).text, giver.name)}
        donor_id = donors.at_or_new_many(person, now)[giver.address_hash]
    db.session.add(
        Gift(
            entry_id=entry_id,
            donor_id=donor_id,
            public_name=giver.name,
            show_name=False,
            message=giver.message,
            moderation=Moderation.WAITING,
        )
    )


def _booking(one: Import, row: ImportRow, listing: Listing, by: Staff | None) -> Booking:
    if row.kind is None or row.amount_minor is None or row.occurred_at is None:
        raise ValueError("The row has not all that booking needs.")
    numbers = {scheme: getattr(row, scheme) for scheme in batches.NUMBERS}
    return Booking(
        listing=listing,
        kind=row.kind,
        amount=Money(row.amount_minor, row.currency or ""),
        occurred_at=row.occurred_at,
        source=one.source,
        keys=tuple(Key(scheme, value) for scheme, value in numbers.items() if value),
        door=Door.FILE,
        staff_id=by.id if by else None,
        regards=row.regards,
        stage=MatchStage.CONFIRMED if row.kind is EntryKind.MATCH else None,
        donations=row.donations,
        import_id=one.id,
        import_row=row.position,
    )
