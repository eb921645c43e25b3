"""Imports: a file handed in, and each step of its way that a person takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from campaigns import audit
from campaigns.db import db
from campaigns.model.file import File
from campaigns.model.imported import (
    Import,
    ImportState,
    SavedMapping,
)
from campaigns.model.staff import Staff
from campaigns.steps import NotCommitted, NotOpen, move

LONGEST_NAME, LONGEST_REASON = 255, 500
# An import whose settings may change, and that may be committed.
OPEN = (ImportState.REVIEW, ImportState.FAILED)
# One that nothing is booked of and nothing will be before a person says so.
UNBOOKED = (ImportState.READING, *OPEN)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read. What is None or empty is guessed, or taken from the file."""

    profile: str
    source: str = ""
    listing_id: int | None = None
    mapping: dict[str, Any] | None = None
    charset: str | None = None
    member: str | None = None


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
        moved_at=now,
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
    given = {"rows": 0, "decisions": [], "reason": None}
    move(one, OPEN, ImportState.READING, now, **given, **_settings(reading))
    changes = {
        name: (before[name], value)
        for name, value in _settings(reading).items()
        if before[name] != value
    }
    audit.record("read import again", one, now, by=by, changes=changes)


def commit(one: Import, now: datetime, by: Staff | None) -> None:
    """Let a worker write the entries and count them. Raises `NotOpen`, also the second time."""
    move(
        one,
        (ImportState.REVIEW,),
        ImportState.COMMITTING,
        now,
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
        move(
            one,
            (ImportState.COMMITTED,),
            ImportState.UNDOING,
            now,
            undo_at=now,
            undone_by=by.id,
            undo_reason=reason.strip()[:LONGEST_REASON],
        )
    except NotOpen as error:
        raise NotCommitted(str(error)) from error
    audit.record("undo import", one, now, by=by, changes={"reason": (None, reason.strip())})


def discard(one: Import, reason: str, now: datetime, by: Staff | None) -> None:
    """Let a worker delete its rows, and its file's bytes where no other import has them.

    That it was, its file's hash and the reason stay. Raises `NotOpen` once it is to be booked, and
    the second time; ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("Discarding needs a reason.")
    move(
        one,
        UNBOOKED,
        ImportState.DISCARDING,
        now,
        discard_at=now,
        discarded_by=by.id if by else None,
        discard_reason=reason.strip()[:LONGEST_REASON],
    )
    audit.record("discarded import", one, now, by=by, changes={"reason": (None, reason.strip())})


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


def _settings(reading: Reading) -> dict[str, Any]:
    return {
        "profile": reading.profile,
        "source": reading.source,
        "listing_id": reading.listing_id,
        "mapping": reading.mapping,
        "charset": reading.charset,
        "member": reading.member,
    }
