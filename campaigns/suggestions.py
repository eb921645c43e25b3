"""Suggestions: the listing that unnamed money may belong to, and why one thinks so."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from string import ascii_letters

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from campaigns.db import db
from campaigns.model.campaign import CampaignSlug, CampaignText
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.listing import Listing

# How many of the newest entries are looked at.
LOOKED_AT = 5000
# What a merchant's numbers begin with before they count.
LETTERS = ascii_letters + "_-"


class Why(StrEnum):
    """What a suggestion rests on."""

    DONATION = "donation"
    NAME = "name"
    ORDER = "order"
    SOURCE = "source"


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


def of(asked: Iterable[Named]) -> dict[Named, Suggestion | None]:
    """Where each may belong, and why; the surest reason first."""
    return {named: _suggestion(named) for named in set(asked)}


def beginning(order: str | None) -> str:
    """The letters, hyphens and underscores that a number begins with: "DESK-" of "DESK-2026-7"."""
    whole = order or ""
    return whole[: len(whole) - len(whole.lstrip(LETTERS))]


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
    """The listing whose number, or whose campaign's slug or title, is nearly the reference; of a
    campaign with several listings none is meant."""
    if not named.ref:
        return None
    listings = db.session.execute(select(Listing.external_id, Listing.id)).all()
    names = {name: id for name, id in listings}  # noqa: C416 - a row is not a pair to mypy
    for column, of in (
        (CampaignSlug.slug, CampaignSlug.campaign_id),
        (CampaignText.title, CampaignText.campaign_id),
    ):
        names |= _only_listings(column, of)
    close = get_close_matches(named.ref, names, n=1, cutoff=0.75)
    return Suggestion(names[close[0]], Why.NAME, close[0]) if close else None


def _only_listings(
    name: InstrumentedAttribute[str], of: InstrumentedAttribute[int]
) -> dict[str, int]:
    rows = db.session.execute(
        select(name, func.min(Listing.id))
        .join(Listing, Listing.campaign_id == of)
        .group_by(name)
        .having(func.count() == 1)
    ).all()
    return {text: id for text, id in rows}  # noqa: C416 - a row is not a pair to mypy


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
