"""Givers: donors as staff see them: found by address or name, with gifts, consents and letters."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from campaigns import donors
from campaigns.db import db
from campaigns.mail.address import Address, BadAddress
from campaigns.model.consent import Consent
from campaigns.model.delivery import Delivery
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift, Moderation
from campaigns.model.imported import stands
from campaigns.model.suppression import Suppression
from campaigns.money import Money

SHOWN = 50


@dataclass(frozen=True)
class Given:
    """What a person gave: how many gifts that stand, their sums by currency, the last one's day."""

    gifts: int = 0
    sums: tuple[Money, ...] = ()
    last: date | None = None


def matching(text: str) -> Select[Donor]:
    """The donors that a search means: at just this address, or with this in their name.

    An address leads to the person it was merged into. Without text everybody who was not merged,
    and of whom anything was ever confirmed: `unanswered` leaves rows that are nobody's.
    """
    every, text = select(Donor), text.strip()
    if not text:
        nobodys = Donor.erased_at.is_not(None) & Donor.address_hash.is_(None)
        return every.where(Donor.merged_into.is_(None), ~nobodys)
    if "@" not in text:
        return every.where(Donor.name.icontains(text, autoescape=True))
    try:
        donor = donors.at(Address.parse(text))
    except BadAddress:
        donor = None
    return every.where(Donor.id == (donor.id if donor else None))


def given(people: Collection[Donor]) -> Mapping[int, Given]:
    """What these persons gave, those merged into them too, by two statements."""
    of = _persons(people)
    rows = db.session.execute(
        select(
            Gift.donor_id,
            Entry.currency,
            func.count(),
            func.sum(Entry.amount_minor),
            func.max(Entry.day),
        )
        .join(Entry, Entry.id == Gift.entry_id)
        .where(Gift.donor_id.in_(of), stood())
        .group_by(Gift.donor_id, Entry.currency)
    )
    found: defaultdict[int, list[tuple[str, int, int, date]]] = defaultdict(list)
    for donor_id, currency, count, amount, last in rows:
        found[of[donor_id or 0]].append((currency, count, int(amount), last))
    return defaultdict(Given, {id: _given(some) for id, some in found.items()})


def rows_of(donor: Donor) -> list[int]:
    """The person's row and those merged into it."""
    return list(_persons([donor]))


def gifts(donor: Donor) -> list[tuple[Gift, Entry, bool]]:
    """The newest gifts of the person with their entries, and whether each was taken back."""
    rows = db.session.execute(
        select(Gift, Entry, ~_not_taken_back())
        .join(Entry, Entry.id == Gift.entry_id)
        .where(Gift.donor_id.in_(rows_of(donor)), stands())
        .order_by(Entry.occurred_at.desc(), Entry.id.desc())
        .limit(SHOWN)
    )
    return [(gift, entry, back) for gift, entry, back in rows]


def consents(donor: Donor) -> Sequence[Consent]:
    """What the person said, newest first."""
    said = select(Consent).where(Consent.donor_id.in_(rows_of(donor)))
    return db.session.scalars(said.order_by(Consent.id.desc()).limit(SHOWN)).all()


def letters(donor: Donor) -> Sequence[Delivery]:
    """The newest letters to the person."""
    got = select(Delivery).where(Delivery.donor_id.in_(rows_of(donor)))
    return db.session.scalars(got.order_by(Delivery.id.desc()).limit(SHOWN)).all()


def suppressions(donor: Donor) -> Sequence[tuple[Suppression, int]]:
    """Why the person's addresses get nothing, each with the row whose address it is."""
    rows = db.session.execute(
        select(Suppression, Donor.id)
        .join(Donor, Donor.address_hash == Suppression.address_hash)
        .where(Donor.id.in_(rows_of(donor)))
        .order_by(Suppression.at)
    )
    return [(row, id) for row, id in rows]


def messages(state: Moderation) -> Select[Gift]:
    """The gifts with a message in this state of moderation."""
    whole = select(Gift).join(Entry, Entry.id == Gift.entry_id)
    written = Gift.message.is_not(None), Gift.message != "", Gift.moderation == state
    return whole.where(*written, stood())


def stood() -> ColumnElement[bool]:
    """Whether an entry stands and was not taken back."""
    return stands() & _not_taken_back()


def _not_taken_back() -> ColumnElement[bool]:
    reversal = aliased(Entry)
    return ~select(reversal.id).where(reversal.reverses == Entry.id).exists()


def _persons(people: Iterable[Donor]) -> dict[int, int]:
    """Rows of these persons, each with the id of the person it belongs to."""
    ids = [one.id for one in people]
    rows = db.session.execute(
        select(Donor.id, Donor.merged_into).where(
            or_(Donor.id.in_(ids), Donor.merged_into.in_(ids))
        )
    )
    return {id: into if into in ids else id for id, into in rows}


def _given(some: Sequence[tuple[str, int, int, date]]) -> Given:
    return Given(
        gifts=sum(count for _, count, _, _ in some),
        sums=tuple(Money(amount, currency) for currency, _, amount, _ in sorted(some)),
        last=max(last for *_, last in some),
    )
