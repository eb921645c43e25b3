"""Addresses that were typed into a form and never confirmed: forgotten after a month.

Anybody can type anybody's address. Whoever does not press the button in the letter agreed to
nothing, so there is no ground for keeping it (PIPL art. 47, 1).
"""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, exists, func, or_, select, update

from campaigns.db import db
from campaigns.model.consent import Consent
from campaigns.model.delivery import OPEN, Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.merge import Merge
from campaigns.model.suppression import Suppression
from campaigns.model.tag import DonorTag

KEPT = timedelta(days=30)
# Each call looks at so many rows and the next minute's at the next ones, so that it costs the same
# however many donors there are. A million are seen in less than two hours.
SLICE = 10_000
DONORS = cast(Table, Donor.__table__)


def sweep(now: datetime) -> int:
    """Forget a slice's addresses that nobody confirmed; how many. The second time does nothing.

    The row stays without its address and the hash of it, since the record of the letter that
    asked hangs on it; whoever signs up again is somebody new. Of who was erased before, only the
    address goes: its hash keeps files from bringing it back.
    """
    before = now - KEPT
    return _forget(_only_asked(before), {"address_hash": None}, now) + _forget(
        _back_in_vain(before), {}, now
    )


def _forget(who: ColumnElement[bool], more: dict[str, None], now: datetime) -> int:
    # A row that somebody writes a letter to just now is locked, and looked at another time.
    some = select(Donor.id).where(_slice(now), Donor.address.is_not(None), who)
    ids = list(db.session.scalars(some.with_for_update(skip_locked=True)))
    if ids:
        blank = {"address": None, "locale": None, "erased_at": now, **more}
        db.session.execute(update(DONORS).where(DONORS.c.id.in_(ids)).values(blank))
    return len(ids)


def _slice(now: datetime) -> ColumnElement[bool]:
    slices = (db.session.scalar(select(func.max(Donor.id))) or 0) // SLICE + 1
    start = int(now.timestamp() // 60) % slices * SLICE
    return Donor.id.between(start, start + SLICE - 1)


def _only_asked(before: datetime) -> ColumnElement[bool]:
    """Of whom nothing is known but an address and that it was asked, long ago."""
    of = Delivery.donor_id == Donor.id
    lately = or_(Delivery.letter != LetterKind.CONFIRM, Delivery.created_at >= before)
    known = or_(Donor.name.is_not(None), Donor.place.is_not(None), Donor.timezone.is_not(None))
    merged = or_(Merge.donor_id == Donor.id, Merge.into_id == Donor.id)
    return and_(
        Donor.erased_at.is_(None),
        Donor.created_at < before,
        ~known,
        exists().where(of),
        ~exists().where(of, lately | Delivery.state.in_(OPEN)),
        ~exists().where(Consent.donor_id == Donor.id),
        ~exists().where(Gift.donor_id == Donor.id),
        ~exists().where(GiftClaim.donor_id == Donor.id),
        ~exists().where(DonorTag.donor_id == Donor.id),
        ~exists().where(merged),
        ~exists().where(Suppression.address_hash == Donor.address_hash),
    )


def _back_in_vain(before: datetime) -> ColumnElement[bool]:
    """Who was erased, and whose address somebody typed since, and nobody confirmed."""
    of = Delivery.donor_id == Donor.id
    asked = of & (Delivery.letter == LetterKind.CONFIRM) & (Delivery.created_at > Donor.erased_at)
    gave = Gift.donor_id == Donor.id, Gift.entry_id == Entry.id, Entry.booked_at > Donor.erased_at
    return and_(
        Donor.erased_at.is_not(None),
        exists().where(asked),
        ~exists().where(of, (Delivery.created_at >= before) | Delivery.state.in_(OPEN)),
        ~exists().where(Consent.donor_id == Donor.id, Consent.given, Consent.at > Donor.erased_at),
        ~exists().where(*gave),
        ~exists().where(GiftClaim.donor_id == Donor.id, GiftClaim.confirmed_at > Donor.erased_at),
    )
