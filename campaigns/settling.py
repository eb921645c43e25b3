"""Settling: money that waits for a person, where it may belong, and the rules they made of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select

from campaigns import audit, told
from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.staff import Staff
from campaigns.platforms.base import Movement, NoticeError

# How many of the newest entries are looked at for a suggestion, and of the waiting notices for
# those alike; how many are settled at once.
LOOKED_AT = 5000
AT_ONCE = 300
# What a merchant's numbers begin with before they count.
_LETTERS = re.compile(r"[A-Za-z_-]*")


class Why(StrEnum):
    """What a suggestion rests on."""

    DONATION = "donation"
    NAME = "name"
    ORDER = "order"
    SOURCE = "source"


class BadRule(ValueError):
    """The rule fits everything or nothing."""


@dataclass(frozen=True)
class Suggestion:
    """A listing that waiting money may belong to, and because of what text."""

    listing_id: int
    why: Why
    text: str = ""


@dataclass(frozen=True)
class Named:
    """What says where money belongs: the account it came through, the merchant's own number, what
    names the campaign, and the key of the donation that it is about."""

    source: str
    order: str | None = None
    ref: str | None = None
    regards: str | None = None

    @property
    def prefix(self) -> str:
        """The letters that the order number begins with; "" where it begins otherwise."""
        return beginning(self.order)


@dataclass(frozen=True)
class Item:
    """A notice that waits, and what it tells of; `unread` is why that cannot be read."""

    notice: Notice
    endpoint: WebhookEndpoint
    movements: tuple[Movement, ...]
    unread: str | None = None

    @property
    def named(self) -> Named:
        """Of several movements the first's."""
        source = self.endpoint.source
        if not self.movements:
            return Named(source)
        first = self.movements[0]
        order = next((key.value for key in first.keys if key.scheme == "order"), None)
        regards = ":".join(first.refunds) if first.refunds else None
        return Named(source, order, first.passed or first.campaign_ref, regards)


def beginning(order: str | None) -> str:
    """The letters, hyphens and underscores that a number begins with: "DESK-" of "DESK-2026-7"."""
    found = _LETTERS.match(order or "")
    return found[0] if found else ""


def items(notices: Iterable[Notice], now: datetime) -> list[Item]:
    """What these notices tell of."""
    return [_item(notice, now) for notice in notices]


def suggestions(asked: Iterable[Named]) -> dict[Named, Suggestion | None]:
    """Where each may belong, and why; the surest reason first."""
    return {named: _suggestion(named) for named in set(asked)}


def alike(item: Item, by: PlacedBy, text: str, now: datetime) -> list[Notice]:
    """The unmatched notices of the same source that a rule of this text would place, this one
    among them; at most `AT_ONCE` at once, the oldest first."""
    waiting = db.session.scalars(
        select(Notice)
        .join(WebhookEndpoint, WebhookEndpoint.id == Notice.endpoint_id)
        .where(Notice.verdict == Verdict.UNMATCHED)
        .where(WebhookEndpoint.source == item.endpoint.source)
        .order_by(Notice.id)
        .limit(LOOKED_AT)
    )
    found = [one.notice for one in items(waiting, now) if _fits(one.named, by, text)]
    return found[:AT_ONCE]


def remember(
    source: str, by: PlacedBy, text: str, listing: Listing, now: datetime, staff: Staff
) -> Placement:
    """From now on money of the source that this text fits belongs to the listing.

    A rule of the same text is changed; the same a second time changes nothing. Raises `BadRule`.
    """
    if not text.strip() or len(text) > 200:
        raise BadRule
    rule = db.session.scalar(
        select(Placement)
        .where(Placement.source == source, Placement.by == by, Placement.text == text)
        .with_for_update()
    )
    before = rule.listing_id if rule else None
    if rule is None:
        rule = Placement(source=source, by=by, text=text, created_at=now)
    if before != listing.id:
        rule.listing_id, rule.staff_id = listing.id, staff.id
        db.session.add(rule)
        db.session.flush()
        changes = {"text": (None, f"{source} {by} {text}"), "listing": (before, listing.id)}
        audit.record("made rule", rule, now, by=staff, changes=changes)
    return rule


def forget(rule: Placement, now: datetime, staff: Staff) -> None:
    """Place nothing more by this rule; what it placed stays."""
    text = f"{rule.source} {rule.by} {rule.text}"
    changes = {"text": (text, None), "listing": (rule.listing_id, None)}
    audit.record("deleted rule", rule, now, by=staff, changes=changes)
    db.session.delete(rule)
    db.session.flush()


def rules() -> Sequence[Placement]:
    """Every rule, by source."""
    order = Placement.source, Placement.by, Placement.text
    return db.session.scalars(select(Placement).order_by(*order)).all()


def _item(notice: Notice, now: datetime) -> Item:
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    try:
        return Item(notice, endpoint, tuple(told.by(notice)))
    except NoticeError as error:
        return Item(notice, endpoint, (), str(error))


def _fits(named: Named, by: PlacedBy, text: str) -> bool:
    if by is PlacedBy.REF:
        return named.ref == text
    return bool(text) and (named.order or "").startswith(text)


def _suggestion(named: Named) -> Suggestion | None:
    for look in (_its_donation, _nearly_named, _same_beginning, _only_one_of_source):
        found = look(named)
        if found is not None:
            return found
    return None


def _its_donation(named: Named) -> Suggestion | None:
    scheme, _, value = (named.regards or "").partition(":")
    listing_id = db.session.scalar(
        select(Entry.listing_id)
        .join(EntryKey, EntryKey.entry_id == Entry.id)
        .where(EntryKey.source == named.source, EntryKey.scheme == scheme, EntryKey.value == value)
    )
    return Suggestion(listing_id, Why.DONATION, value) if listing_id else None


def _nearly_named(named: Named) -> Suggestion | None:
    """The listing whose number, or the campaign's only one whose slug, is nearly the reference."""
    if not named.ref:
        return None
    listings = db.session.execute(select(Listing.external_id, Listing.id)).all()
    names = {name: id for name, id in listings}  # noqa: C416 - a row is not a pair to mypy
    names |= _only_listings_by_slug()
    close = get_close_matches(named.ref, names, n=1, cutoff=0.75)
    return Suggestion(names[close[0]], Why.NAME, close[0]) if close else None


def _only_listings_by_slug() -> dict[str, int]:
    rows = db.session.execute(
        select(CampaignSlug.slug, func.min(Listing.id))
        .join(Listing, Listing.campaign_id == CampaignSlug.campaign_id)
        .group_by(CampaignSlug.slug)
        .having(func.count() == 1)
    ).all()
    return {slug: id for slug, id in rows}  # noqa: C416 - a row is not a pair to mypy


def _same_beginning(named: Named) -> Suggestion | None:
    """Where most entries are whose order numbers begin with the same letters."""
    if not named.prefix:
        return None
    begins = func.substr(EntryKey.value, 1, len(named.prefix)) == named.prefix
    found = _listings(EntryKey.source == named.source, EntryKey.scheme == "order", begins)
    return Suggestion(found[0], Why.ORDER, named.prefix) if found else None


def _only_one_of_source(named: Named) -> Suggestion | None:
    found = _listings(EntryKey.source == named.source)
    return Suggestion(found[0], Why.SOURCE, named.source) if len(found) == 1 else None


def _listings(*which: ColumnElement[bool]) -> list[int]:
    """The listings of entries with such keys, that of most first, as far back as one looks."""
    newest = (
        select(Entry.id, Entry.listing_id)
        .where(Entry.listing_id.is_not(None))
        .order_by(Entry.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    found = db.session.scalars(
        select(newest.c.listing_id)
        .join(EntryKey, EntryKey.entry_id == newest.c.id)
        .where(*which)
        .group_by(newest.c.listing_id)
        .order_by(func.count().desc(), newest.c.listing_id)
    )
    return list(found)
