"""Bounds: the listing that money belongs to: named, ruled by a person, or that of its donation."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy, Placement
from campaigns.platforms import offline
from campaigns.platforms.base import N_, detailed

# A column, or a value that stands for one.
Text = SQLCoreOperations[str] | SQLCoreOperations[str | None] | str | None


class Unmatched(Exception):
    """Within the endpoint's bounds there is no listing, or more than one, that it could mean."""


@dataclass(frozen=True)
class Named:
    """What a movement says of where it belongs.

    `ref` names a listing (its external id) or a campaign (a slug it has or had). So does `passed`,
    but only if we know that name: it may be any word between a merchant and its customers.
    `order` is the merchant's number, `regards` the key of the donation that is taken back. What
    is `elsewhere` belongs to none of the endpoint's listings by the endpoint's own settings.
    """

    ref: str | None = None
    passed: str | None = None
    order: str | None = None
    regards: str | None = None
    elsewhere: bool = False


def place(endpoint: WebhookEndpoint, named: Named) -> Listing:
    """The one listing that a movement belongs to.

    What takes back a donation that is in the ledger belongs where that does. Else it is the one
    within the endpoint's bounds that is named; where nothing is, there must be only one that could
    be meant. Else the one that a rule gives to what was named or to the order; a rule was made by
    a person and may lead out of the bounds. Raises `Unmatched`.
    """
    source, known = endpoint.source, _is_known(named.passed)
    given = _where_it_was_given(source, named.regards)
    if given is not None:
        return db.session.get_one(Listing, given)
    try:
        if named.elsewhere and not known:
            raise Unmatched(N_("The order number begins with none of this endpoint's prefixes."))
        return _within(endpoint, named.passed if known else named.ref)
    except Unmatched:
        found = ruled(source, named.order, named.passed or named.ref)
        if found is None:
            raise
        return db.session.get_one(Listing, found)


def ruled(source: str, order: str | None, ref: str | None) -> int | None:
    """The listing that a rule of this source gives to a reference or an order number, if any.

    A reference that is just a rule's text comes first, since it is what the money itself names;
    then the longest rule that the order number begins with.
    """
    if order is None and ref is None:
        return None
    return db.session.scalar(select(ruling(source, order, ref)))


def ruling(source: Text, order: Text, ref: Text) -> ColumnElement[int | None]:
    """`ruled` as a clause, for statements about many: null where no rule fits."""
    order, ref = _text(order), _text(ref)
    # Not LIKE: it has wildcards, and on SQLite it takes "a" for "A".
    begins = func.substr(order, 1, func.length(Placement.text)) == Placement.text
    is_ref, is_order = (Placement.by == by for by in (PlacedBy.REF, PlacedBy.ORDER))
    return (
        select(Placement.listing_id)
        .where(Placement.source == _text(source))
        .where(or_(and_(is_ref, Placement.text == ref), and_(is_order, begins)))
        .order_by(is_ref.desc(), func.length(Placement.text).desc())
        .limit(1)
        .scalar_subquery()
    )


def _is_known(name: str | None) -> bool:
    """Whether any listing or campaign goes by the name, also out of an endpoint's bounds."""
    if name is None:
        return False
    slug, listing = CampaignSlug.slug == name, Listing.external_id == name
    return bool(db.session.scalar(select(or_(exists().where(slug), exists().where(listing)))))


def _within(endpoint: WebhookEndpoint, ref: str | None) -> Listing:
    within = (
        Listing.id == endpoint.listing_id
        if endpoint.listing_id is not None
        else (Listing.campaign_id == endpoint.campaign_id) & (Listing.platform != offline.NAME)
    )
    named = exists().where(
        CampaignSlug.slug == ref, CampaignSlug.campaign_id == Listing.campaign_id
    )
    rows = db.session.execute(select(Listing, named).where(within)).all()
    found = [listing for listing, _ in rows if listing.external_id == ref]
    if not found:
        found = [listing for listing, is_named in rows if ref is None or is_named]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Unmatched(
            N_("campaign_ref names no campaign or listing that this endpoint books to.")
        )
    raise Unmatched(
        detailed(
            N_("Several listings could be meant and campaign_ref must name one of them"), len(found)
        )
    )


def _where_it_was_given(source: str, regards: str | None) -> int | None:
    """The listing of the donation that goes by this key ("trade:2026…")."""
    if regards is None:
        return None
    scheme, _, value = regards.partition(":")
    return db.session.scalar(
        select(Entry.listing_id)
        .join(EntryKey, EntryKey.entry_id == Entry.id)
        .where(EntryKey.source == source, EntryKey.scheme == scheme, EntryKey.value == value)
    )


def _text(asked: Text) -> SQLCoreOperations[str] | SQLCoreOperations[str | None]:
    if asked is None or isinstance(asked, str):
        return literal(asked, Placement.text.type)
    return asked
