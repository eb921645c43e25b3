"""Assigning: rows of committed imports that named no listing are booked where a person says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from campaigns import audit, batches, bookings, donors, ledger, turns
from campaigns.bookings import Booking, LedgerError
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.entry import Door, Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import (
    Decision,
    Import,
    ImportGiver,
    ImportRow,
    ImportState,
    RowVerdict,
    turned,
)
from campaigns.model.listing import Listing
from campaigns.model.staff import Staff
from campaigns.money import Money
from campaigns.platforms.base import Key
from campaigns.steps import NotCommitted


class Settled(Exception):
    """Somebody decided about the row, or it does not wait for a person."""


def assign(
    rows: Sequence[ImportRow], listing: Listing, now: datetime, by: Staff | None
) -> dict[int, str]:
    """Book rows of committed imports that waited for a listing; what the ledger refuses, by why.

    The keys of the answer are the rows' positions. The second time the ledger knows them.
    """
    refused = {}
    of = {row.import_id: db.session.get_one(Import, row.import_id) for row in rows}
    if any(one.state is not ImportState.COMMITTED for one in of.values()):
        raise NotCommitted("The import is not committed.")
    turns.take_all([(of[row.import_id].source, row.regards) for row in rows if row.regards])
    for row in rows:
        one = of[row.import_id]
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


def insist(row: ImportRow, listing: Listing, reason: str, now: datetime, by: Staff) -> Entry:
    """Book a row that the ledger contradicted while its file was booked: a person says it is true.

    What the ledger has under its numbers is reversed where it still stands and booked anew; what
    only may be the same stays beside it. Raises `LedgerError` where several entries have its
    numbers, and `Settled` the second time.
    """
    one = _held(row)
    booking = replace(_booking(one, row, listing, by), reason=reason)
    held = bookings.holding(one.source, booking.keys)
    if len(held) == 1:
        entry = ledger.rebook(held[0], booking, now)
    else:
        booked = ledger.book(booking, now, although_alike=True)
        entry = db.session.get_one(Entry, booked.entry_id)
        if row.kind is EntryKind.DONATION:
            _keep_gift(row, entry.id, now)
    row.listing_id, row.campaign_id = listing.id, listing.campaign_id
    changes = {"row": (None, f"{row.import_id}:{row.position}"), "reason": (None, reason)}
    audit.record("booked as the file says", entry, now, by=by, changes=changes)
    db.session.flush()
    return entry


def leave(row: ImportRow, reason: str, now: datetime, by: Staff) -> None:
    """A person decided that such a row is not booked. Raises `Settled` the second time."""
    one = _held(row)
    row.decision, row.reason = Decision.LEAVE, reason[:300]
    changes = {"row": (None, row.position), "reason": (None, reason)}
    audit.record("left rows", one, now, by=by, changes=changes)
    db.session.flush()


def _held(row: ImportRow) -> Import:
    """The import of a row that still waits; others who would decide about it wait until we have."""
    where = ImportRow.import_id == row.import_id, ImportRow.position == row.position
    waiting = select(ImportRow.position).where(*where, turned()).with_for_update()
    if db.session.scalar(waiting) is None:
        raise Settled
    return db.session.get_one(Import, row.import_id)


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
