"""Claimed gifts: which gift a number leads to, and whether it can be whose who claims it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CTE, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from campaigns import persons
from campaigns.crypto import derived
from campaigns.db import db
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.entry import Entry, EntryKey, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.imported import stands
from config import settings

# The numbers that a donor may have been given: of the payment, the order, the account's line.
SCHEMES = ("trade", "order", "line")
SHORTEST, LONGEST = 4, 64
OCCASION = "claim:"
_NUMBER = re.compile(rf"[\w.:/#-]{{{SHORTEST},{LONGEST}}}")
_CODE = re.compile(r"G([1-9][0-9]{0,17})-([0-9A-F]{10})")
# So many contested claims are looked at; the first page is loaded often.
MOST_CONTESTED = 50
# More entries of one number than there could be accounts that gave it.
_MOST = 20


class Verdict(StrEnum):
    """What a claim leads to. free: a gift that is nobody's yet. yours: the claimant's already.
    taken: somebody else's. several: gifts that share the number. unknown: none that stands."""

    FREE = "free"
    YOURS = "yours"
    TAKEN = "taken"
    SEVERAL = "several"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """A claim's verdict, and the gift where there is just one."""

    verdict: Verdict
    entry: Entry | None = None

    @property
    def confirmable(self) -> bool:
        return self.verdict in (Verdict.FREE, Verdict.YOURS)


def plain(typed: str) -> str | None:
    """A number as it is kept: no blanks, full-width characters made plain; None for no number."""
    text = "".join(unicodedata.normalize("NFKC", typed).split())
    return text if _NUMBER.fullmatch(text) else None


def code(entry_id: int) -> str:
    """The number we print for a gift ourselves: it leads there and cannot be guessed."""
    return f"G{entry_id}-{_proof(entry_id)}"


def of_occasion(occasion: str) -> GiftClaim | None:
    """The claim that a letter is about."""
    number = occasion.removeprefix(OCCASION)
    if number == occasion or not number.isdecimal():
        return None
    return db.session.get(GiftClaim, int(number))


def behind(claim: GiftClaim) -> Found:
    """What the claim's number leads to now. Reads only.

    A gift of the campaign on whose page it was typed goes before those of others.
    """
    if claim.entry_id is not None:
        entries: Sequence[Entry] = [db.session.get_one(Entry, claim.entry_id)]
    else:
        entries = numbered(claim.number)
    here = [entry for entry in entries if entry.campaign_id == claim.campaign_id] or entries
    if len(here) != 1:
        return Found(Verdict.SEVERAL if here else Verdict.UNKNOWN)
    return Found(_verdict(here[0], claim.donor_id), here[0])


def contested() -> list[tuple[GiftClaim, Entry]]:
    """Claims that wait while their gift is somebody else's, each with the gift, oldest first."""
    keys = _sources()
    cased = GiftClaim.number, func.upper(GiftClaim.number), func.lower(GiftClaim.number)
    of_other = (
        select(GiftClaim.id)
        .join(keys, true())
        .join(EntryKey, and_(EntryKey.source == keys.c.source, EntryKey.scheme.in_(SCHEMES)))
        .join(Gift, Gift.entry_id == EntryKey.entry_id)
        .where(EntryKey.value.in_(cased), Gift.donor_id != GiftClaim.donor_id)
        .where(GiftClaim.confirmed_at.is_(None))
    )
    maybe = or_(GiftClaim.id.in_(of_other), func.upper(GiftClaim.number).like("G%-%"))
    waiting = select(GiftClaim).where(GiftClaim.confirmed_at.is_(None), maybe)
    rows = db.session.scalars(waiting.order_by(GiftClaim.id).limit(MOST_CONTESTED)).all()
    found = [(claim, behind(claim)) for claim in rows]
    return [
        (claim, one.entry) for claim, one in found if one.verdict is Verdict.TAKEN and one.entry
    ]


def numbered(number: str) -> Sequence[Entry]:
    """The donations of one giver each that stand under this number in campaigns people can see."""
    own = _CODE.fullmatch(number.upper())
    if own and own[2] == _proof(int(own[1])):
        which = Entry.id == _newest(int(own[1]))
    else:
        which = Entry.id.in_(_known(number))
    reversal = aliased(Entry)
    standing = (
        select(Entry)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(which, Entry.kind == EntryKind.DONATION, Entry.donations == 1, stands())
        .where(~exists().where(reversal.reverses == Entry.id))
        .where(Campaign.state != CampaignState.DRAFT)
    )
    return db.session.scalars(standing.order_by(Entry.id).limit(_MOST)).all()


def number_of(entry: Entry) -> str | None:
    """A number that the money keeps when it is booked again, if it has any that we can keep."""
    known = {key.scheme: key.value for key in entry.keys if len(key.value) <= LONGEST}
    return next((known[scheme] for scheme in SCHEMES if scheme in known), None)


def _verdict(entry: Entry, donor_id: int) -> Verdict:
    gift = db.session.get(Gift, entry.id)
    if gift is None or gift.donor_id is None:
        return Verdict.FREE
    return (
        Verdict.YOURS
        if persons.behind(gift.donor_id) == persons.behind(donor_id)
        else Verdict.TAKEN
    )


def _known(number: str) -> Select[int]:
    """The entries with this number, whatever account it is of and however its letters were typed.

    The key of a number begins with its account, so it is looked for under each; accounts are few.
    """
    sources = _sources()
    return (
        select(EntryKey.entry_id)
        .join(sources, sources.c.source == EntryKey.source)
        .where(EntryKey.scheme.in_(SCHEMES))
        .where(EntryKey.value.in_(sorted({number, number.upper(), number.lower()})))
    )


def _sources() -> CTE:
    """Each account that keys are of, found by skipping through their index."""
    first = select(func.min(EntryKey.source).label("source")).cte("sources", recursive=True)
    after = aliased(EntryKey)
    following = (
        select(func.min(after.source))
        .where(after.source > first.c.source)
        .correlate(first)
        .scalar_subquery()
    )
    return first.union_all(select(following).where(first.c.source.is_not(None)))


def _newest(entry_id: int) -> int:
    """The entry, or the one by which it was booked anew."""
    while newer := db.session.scalar(select(Entry.id).where(Entry.replaces == entry_id)):
        entry_id = newer
    return entry_id


def _proof(entry_id: int) -> str:
    return derived(settings().address_pepper, "gift code", str(entry_id), 10).upper()
