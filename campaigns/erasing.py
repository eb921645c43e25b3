"""Erasing: a person is forgotten, what they gave and said stays by number (PIPL art. 47).

A table that keeps something personal joins here in the commit that adds it, and in `disclosure`.
"""

from datetime import datetime

from sqlalchemy import delete, or_, select, tuple_, update

from campaigns import audit, givers, suppression
from campaigns.db import db
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import ImportGiver
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.tag import DonorTag


def erase(person: Donor, by: Delivery, now: datetime) -> None:
    """Forget the person who answers a letter: addresses, names, place, tags and messages.

    Entries stay, and consents by number; the hashes of their addresses stay suppressed, so that
    no file brings them back. The second time changes nothing.
    """
    rows = givers.rows_of(person)
    hashes = list(db.session.scalars(select(Donor.address_hash).where(Donor.id.in_(rows))))
    if person.erased_at is not None and person.address is None:
        return
    suppression.leave_everything(by, now)
    # What came in at the doors leads to the person by their gifts, so it goes before those do.
    _forget_sources(rows, [one for one in hashes if one])
    _forget_gifts(rows, now)
    db.session.execute(delete(DonorTag).where(DonorTag.donor_id.in_(rows)))
    blank = {"address": None, "name": None, "locale": None, "timezone": None, "place": None}
    db.session.execute(
        update(Donor).where(Donor.id.in_(rows)).values(**blank, erased_at=now),
        execution_options={"synchronize_session": "fetch"},
    )
    changes: dict[str, tuple[object, object]] = {"erased_at": (None, now)}
    audit.record("erased donor", person, now, by=None, changes=changes)
    db.session.flush()


def _forget_sources(rows: list[int], hashes: list[str]) -> None:
    """The bodies of booked notices of their gifts, and who gave by files."""
    gifts = select(Entry.id).join(Gift, Gift.entry_id == Entry.id).where(Gift.donor_id.in_(rows))
    notices = select(Entry.notice_id).where(Entry.id.in_(gifts), Entry.notice_id.is_not(None))
    booked = select(Notice.id).where(Notice.id.in_(notices), Notice.verdict == Verdict.BOOKED)
    db.session.execute(
        delete(NoticeBody).where(NoticeBody.notice_id.in_(booked)),
        execution_options={"synchronize_session": False},
    )
    places = select(Entry.import_id, Entry.import_row).where(
        Entry.id.in_(gifts), Entry.import_id.is_not(None)
    )
    db.session.execute(
        delete(ImportGiver).where(
            or_(
                ImportGiver.address_hash.in_(hashes),
                tuple_(ImportGiver.import_id, ImportGiver.position).in_(places),
            )
        ),
        execution_options={"synchronize_session": False},
    )


def _forget_gifts(rows: list[int], now: datetime) -> None:
    """Their words, and the way to a claimed gift by the link of its letter."""
    theirs = GiftClaim.donor_id.in_(rows)
    options = {"synchronize_session": False}
    unconfirmed = delete(GiftClaim).where(theirs, GiftClaim.confirmed_at.is_(None))
    db.session.execute(unconfirmed, execution_options=options)
    standing = update(GiftClaim).where(theirs, GiftClaim.released_at.is_(None))
    db.session.execute(standing.values(released_at=now), execution_options=options)
    db.session.execute(
        update(Gift)
        .where(Gift.donor_id.in_(rows))
        .values(public_name=None, show_name=False, message=None),
        execution_options={"synchronize_session": "fetch"},
    )
