"""Claiming gifts: a gift becomes whose who knows its number, once a letter proved their address.

The page on which a number is typed looks nothing up: the letter does, when it is written, and so
only whoever reads the mail at that address learns anything.
"""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, exists, select, update
from sqlalchemy.orm import aliased

from campaigns import audit, claimed_gifts, donors, letters, persons, suppression, wordings
from campaigns.claimed_gifts import OCCASION, Found, Verdict
from campaigns.db import db, insert
from campaigns.mail.address import Address
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift, Moderation
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.staff import Staff

LINK_LASTS = timedelta(days=2)
# Staff see for so long what was claimed and never confirmed; then nobody needs to know any more.
UNCONFIRMED_KEPT = timedelta(days=30)
GIFTS = cast(Table, Gift.__table__)


class LinkGone(Exception):
    """The link is too old, or leads to no claim of a gift that could be confirmed or stands."""


class NotYours(Exception):
    """The gift is not, or no longer, whose who claims it; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"The gift cannot be claimed: {verdict}.")
        self.verdict = verdict


def ask(campaign: Campaign, number: str, address: Address, locale: str, now: datetime) -> None:
    """Write a letter about the gift that `number` (`claimed_gifts.plain`) may lead to.

    It is the same work whether there is such a gift, and whoever's it is. Each call is another
    letter: doors throttle.
    """
    donor = donors.at_or_new(address, None, locale, now)
    claim = GiftClaim(
        campaign_id=campaign.id, donor_id=donor.id, number=number, locale=locale, asked_at=now
    )
    db.session.add(claim)
    db.session.flush()
    letters.queue(
        LetterKind.CONFIRM,
        to=donor,
        purpose=Purpose.SERVICE,
        occasion=f"{OCCASION}{claim.id}",
        locale=locale,
        now=now,
        campaign_id=campaign.id,
        expires_at=now + LINK_LASTS,
    )


def of_letter(delivery: Delivery | None, now: datetime) -> GiftClaim:
    """The claim that a letter's link is about. Raises `LinkGone`.

    A link to confirm lasts two days. Once confirmed it is the way to the gift for as long as the
    claim stands.
    """
    if delivery is None or delivery.letter is not LetterKind.CONFIRM:
        raise LinkGone
    claim = claimed_gifts.of_occasion(delivery.occasion)
    if claim is None or claim.released_at is not None:
        raise LinkGone
    written = delivery.settled_at or delivery.claimed_at or delivery.created_at
    if not claim.stands and (now > written + LINK_LASTS or suppression.left_since(delivery)):
        raise LinkGone
    return claim


def confirm(claim: GiftClaim, delivery: Delivery, now: datetime) -> Found:
    """The gift is the reader's, who gets its campaign's updates from now on, unless that is closed.

    The second time changes nothing. Raises `NotYours`; of two who claim at once one is too late.
    """
    found = claimed_gifts.behind(claim)
    if claim.stands:
        return found
    donor = _reader(claim)
    if not found.confirmable or found.entry is None or donor is None:
        raise NotYours(found.verdict)
    _take(found.entry, claim, donor, now)
    campaign = db.session.get_one(Campaign, found.entry.campaign_id)
    if campaign.state is not CampaignState.CLOSED:
        suppression.agree(
            donor,
            Purpose.UPDATES,
            campaign.id,
            source=ConsentSource.FORM,
            wording=wordings.CLAIM,
            locale=claim.locale,
            now=now,
            delivery_id=delivery.id,
        )
    audit.record("claimed gift", found.entry, now, by=None, changes={"claim": (None, claim.id)})
    db.session.flush()
    return found


def word(claim: GiftClaim, name: str | None, message: str | None, now: datetime) -> None:
    """Show the gift under a name, or anonymously for None, with a message once staff allow it.

    What staff hid stays hidden until they show it. Raises `NotYours`.
    """
    found = claimed_gifts.behind(claim)
    if not claim.stands or found.entry is None or found.verdict is not Verdict.YOURS:
        raise NotYours(found.verdict)
    gift = db.session.get_one(Gift, found.entry.id)
    changes: dict[str, tuple[object, object]] = {}
    if name is not None and (gift.show_name, gift.public_name) != (True, name):
        changes["public_name"] = (gift.public_name, name)
        gift.public_name = name
    if gift.show_name != (name is not None):
        changes["show_name"] = (gift.show_name, name is not None)
        gift.show_name = name is not None
    if gift.message != message and (message or is_seen(claim, gift)):
        changes["message"] = (gift.message, message)
        gift.message = message
        if gift.moderation is not Moderation.HIDDEN:
            gift.moderation = Moderation.WAITING
    claim.worded_at = now
    if changes:
        audit.record("worded own gift", found.entry, now, by=None, changes=changes)
    db.session.flush()


def is_seen(claim: GiftClaim, gift: Gift) -> bool:
    """Whether the claimant sees the gift's message: it is their own, or everybody does.

    Who only guessed a number learns no words that came with the gift.
    """
    return gift.moderation is Moderation.SHOWN or any(one.worded_at for one in _same(claim))


def release(claim: GiftClaim, reason: str, now: datetime, by: Staff) -> None:
    """The gift was not theirs: it is anonymous again and can be claimed anew.

    What they agreed to stands until they leave. The second time does nothing.
    """
    if not claim.stands or claim.entry_id is None:
        return
    who, gift = persons.behind(claim.donor_id), db.session.get(Gift, claim.entry_id)
    if gift is not None and persons.behind(gift.donor_id) == who:
        gift.donor_id, gift.show_name = None, False
        if any(one.worded_at for one in _same(claim)):
            gift.public_name = gift.message = None
    for one in _same(claim):
        one.released_at = now
    entry = db.session.get_one(Entry, claim.entry_id)
    changes: dict[str, tuple[object, object]] = {
        "claim": (claim.id, None),
        "reason": (None, reason),
    }
    audit.record("released gift", entry, now, by=by, changes=changes)
    db.session.flush()


def holding(entry: Entry) -> list[GiftClaim]:
    """The claims by which a gift is whose it is; none if it came with its giver's address."""
    gift = db.session.get(Gift, entry.id)
    who = persons.behind(gift.donor_id) if gift else None
    standing = GiftClaim.entry_id == entry.id, GiftClaim.released_at.is_(None)
    rows = db.session.scalars(select(GiftClaim).where(*standing).order_by(GiftClaim.id))
    return [one for one in rows if persons.behind(one.donor_id) == who]


def hand_over(claim: GiftClaim, reason: str, now: datetime, by: Staff) -> None:
    """Release a contested gift and ask this claimant anew: the new letter's button makes it theirs.

    Raises `NotYours` where nobody claimed the gift that is taken, and where it is not taken.
    """
    found = claimed_gifts.behind(claim)
    holders = holding(found.entry) if found.entry and found.verdict is Verdict.TAKEN else []
    if not holders or claim.donor.address is None:
        raise NotYours(found.verdict)
    release(holders[0], reason, now, by)
    _forget_waiting(claim)
    ask(claim.campaign, claim.number, Address.known(claim.donor.address), claim.locale, now)


def turn_down(claim: GiftClaim, reason: str, now: datetime, by: Staff) -> None:
    """Forget a contested claim: the gift stays whose it is. The claimant can ask again.

    Raises `NotYours` where it is not, or no longer, contested.
    """
    found = claimed_gifts.behind(claim)
    if found.verdict is not Verdict.TAKEN or found.entry is None or claim.confirmed_at is not None:
        raise NotYours(found.verdict)
    changes: dict[str, tuple[object, object]] = {
        "claim": (claim.id, None),
        "reason": (None, reason),
    }
    audit.record("turned down claim", found.entry, now, by=by, changes=changes)
    _forget_waiting(claim)


def sweep(now: datetime) -> None:
    """Forget what was never confirmed, and let claims follow money that came in by another entry.

    An import that is undone releases its numbers; once its file is booked again, a claimed gift is
    the one with the same number.
    """
    old = GiftClaim.confirmed_at.is_(None), GiftClaim.asked_at < now - UNCONFIRMED_KEPT
    db.session.execute(delete(GiftClaim).where(*old))
    reversal = aliased(Entry)
    orphaned = (
        select(GiftClaim)
        .where(GiftClaim.confirmed_at.is_not(None), GiftClaim.released_at.is_(None))
        .where(exists().where(reversal.reverses == GiftClaim.entry_id))
    )
    for claim in db.session.scalars(orphaned.order_by(GiftClaim.id)).all():
        _follow(claim, now)
    db.session.flush()


def _forget_waiting(claim: GiftClaim) -> None:
    """Forget what this donor asked about this number, however often, and never confirmed."""
    theirs = GiftClaim.donor_id == claim.donor_id, GiftClaim.number == claim.number
    waiting = delete(GiftClaim).where(*theirs, GiftClaim.confirmed_at.is_(None))
    db.session.execute(waiting, execution_options={"synchronize_session": "fetch"})


def _same(claim: GiftClaim) -> list[GiftClaim]:
    """The standing claims of the same person on the same gift: each letter's link leads there."""
    standing = GiftClaim.entry_id == claim.entry_id, GiftClaim.released_at.is_(None)
    found = db.session.scalars(select(GiftClaim).where(*standing).order_by(GiftClaim.id))
    who = persons.behind(claim.donor_id)
    return [one for one in found if persons.behind(one.donor_id) == who]


def _reader(claim: GiftClaim) -> Donor | None:
    """Who reads at the claim's address; nobody once it was erased."""
    donor = claim.donor
    if donor.address is None:
        return None
    return donors.at(Address.known(donor.address)) or donor


def _take(entry: Entry, claim: GiftClaim, donor: Donor, now: datetime) -> None:
    """Make the gift the donor's and the claim one that stands. Raises `NotYours`."""
    new = {"entry_id": entry.id, "show_name": False, "moderation": Moderation.WAITING}
    db.session.execute(insert(GIFTS).values(new).on_conflict_do_nothing())
    free = GIFTS.c.entry_id == entry.id, GIFTS.c.donor_id.is_(None)
    db.session.execute(update(GIFTS).where(*free).values(donor_id=donor.id))
    gift = db.session.get_one(Gift, entry.id, populate_existing=True)
    if persons.behind(gift.donor_id) != donor.id:
        raise NotYours(Verdict.TAKEN)
    claim.entry_id, claim.confirmed_at = entry.id, claim.confirmed_at or now
    claim.number = claimed_gifts.number_of(entry) or claim.number


def _follow(claim: GiftClaim, now: datetime) -> None:
    """Move a claim, with the words of its gift, to the entry that has its number now, if any."""
    entries = [one for one in claimed_gifts.numbered(claim.number) if one.id != claim.entry_id]
    donor, before = _reader(claim), db.session.get(Gift, claim.entry_id)
    if len(entries) != 1 or donor is None or before is None:
        return
    try:
        _take(entries[0], claim, donor, now)
    except NotYours:
        return
    gift = db.session.get_one(Gift, entries[0].id)
    gift.public_name, gift.show_name = before.public_name, before.show_name
    gift.message, gift.moderation = before.message, before.moderation
