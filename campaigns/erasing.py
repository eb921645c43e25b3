"""Erasing: a person is forgotten, what they gave and said stays by number (PIPL art. 47).

A table that keeps something personal joins here in the commit that adds it, and in `disclosure`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, or_, select, tuple_, update

from campaigns import audit, givers, persons, suppression
from campaigns.db import db
from campaigns.model.consent import Consent, ConsentSource
from campaigns.model.delivery import Delivery
from campaigns.model.digest import DigestItem
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import ImportGiver
from campaigns.model.notice import Notice, NoticeBody, Verdict
from campaigns.model.staff import Staff
from campaigns.model.tag import DonorTag
from campaigns.suppression import Said


class Wish(StrEnum):
    """Why staff erase. Never in words of their own: a record of it would keep the name."""

    WRITTEN = "in writing"
    TOLD = "by telephone or in person"
    RELATIVE = "a relative of somebody who died"
    NEEDLESS = "no longer needed"


@dataclass(frozen=True)
class Held:
    """How much there is of a person. Gifts and consents stay, the rest goes."""

    addresses: int
    named: int
    messages: int
    tags: int
    gifts: int
    consents: int


def erase(person: Donor, by: Delivery, now: datetime) -> None:
    """Forget the person who answers a letter: addresses, names, place, tags and messages.

    Entries stay, and consents by number; the hashes of their addresses stay suppressed, so that
    no file brings them back. The second time changes nothing.
    """
    if not _is_erased(person):
        suppression.leave_everything(by, now)
        _forget(person, now, None, {})


def erase_for(donor: Donor, wish: Wish, locale: str, now: datetime, by: Staff) -> None:
    """Staff erase a person, under whichever of their rows, as `erase` does.

    `locale` is the organisation's, for who never said theirs. The second time changes nothing.
    """
    person = db.session.get_one(Donor, persons.behind(donor.id))
    if not _is_erased(person):
        said = Said(ConsentSource.STAFF, person.locale or locale)
        suppression.end_everything(person.id, said, now)
        _forget(person, now, by, {"wish": (None, wish.value)})


def held(person: Donor) -> Held:
    """What erasing the person would find."""
    rows = givers.rows_of(person)
    words = func.count(Gift.public_name), func.count(Gift.message), func.count()
    named, messages, gifts = db.session.execute(select(*words).where(Gift.donor_id.in_(rows))).one()
    about = {
        "addresses": select(func.count(Donor.address)).where(Donor.id.in_(rows)),
        "tags": select(func.count(DonorTag.tag.distinct())).where(DonorTag.donor_id.in_(rows)),
        "consents": select(func.count(Consent.id)).where(Consent.donor_id.in_(rows)),
    }
    counts = {name: db.session.scalar(one) or 0 for name, one in about.items()}
    return Held(named=named, messages=messages, gifts=gifts, **counts)


def _is_erased(person: Donor) -> bool:
    """Whether nothing came back since: who asked for a letter again has an address again."""
    return person.erased_at is not None and person.address is None


def _forget(
    person: Donor, now: datetime, by: Staff | None, why: dict[str, tuple[object, object]]
) -> None:
    rows = givers.rows_of(person)
    hashes = list(db.session.scalars(select(Donor.address_hash).where(Donor.id.in_(rows))))
    # What came in at the doors leads to the person by their gifts, so it goes before those do.
    _forget_sources(rows, [one for one in hashes if one])
    _forget_gifts(rows, now)
    db.session.execute(delete(DonorTag).where(DonorTag.donor_id.in_(rows)))
    waits = delete(DigestItem).where(DigestItem.donor_id.in_(rows))
    db.session.execute(waits.where(DigestItem.delivery_id.is_(None)))
    blank = {"address": None, "name": None, "locale": None, "timezone": None, "place": None}
    db.session.execute(
        update(Donor).where(Donor.id.in_(rows)).values(**blank, erased_at=now),
        execution_options={"synchronize_session": "fetch"},
    )
    audit.record("erased donor", person, now, by=by, changes={"erased_at": (None, now), **why})
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
