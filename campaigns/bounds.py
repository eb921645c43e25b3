"""Bounds: the listing that money belongs to: named, ruled by a person, or that of its donation."""

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.sql.elements import SQLCoreOperations

from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKey
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy, Placement
from campaigns.platforms import offline

# A column, or a value that stands for one.
Text = SQLCoreOperations[str] | SQLCoreOperations[str | None] | str | None


class Unmatched(Exception):
    """Within the endpoint's bounds there is no listing, or more than one, that it could mean."""


def place(
    endpoint: WebhookEndpoint,
    ref: str | None,
    order: str | None = None,
    regards: str | None = None,
    *,
    elsewhere: bool = False,
) -> Listing:
    """The one listing that a movement belongs to.

    That is the one within the endpoint's bounds that `ref` names: a listing's external id, or a
    slug that the campaign has or had; without it there must be only one that could be meant. Else
    the one that a rule gives to the merchant's `order` or to `ref`; a rule was made by a person
    and may lead out of the bounds. Else, where the movement takes back a donation that is in the
    ledger (`regards`), the donation's. What is `elsewhere` by the endpoint's own settings belongs
    to none of its listings. Raises `Unmatched`.
    """
    try:
        if elsewhere:
            raise Unmatched("The order number begins with none of this endpoint's prefixes.")
        return _named(endpoint, ref)
    except Unmatched:
        source = endpoint.source
        found = ruled(source, order, ref) or _where_it_was_given(source, regards)
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


def _named(endpoint: WebhookEndpoint, ref: str | None) -> Listing:
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
        raise Unmatched("campaign_ref names no campaign or listing that this endpoint books to.")
    raise Unmatched(f"{len(found)} listings could be meant: campaign_ref must name one of them.")


def _where_it_was_given(source: str, regards: str | None) -> int | None:
    """The listing of the donation that goes by this key ("trade:2026…")."""
    scheme, _, value = (regards or "").partition(":")
    return db.session.scalar(
        select(Entry.listing_id)
        .join(EntryKey, EntryKey.entry_id == Entry.id)
        .where(EntryKey.source == source, EntryKey.scheme == scheme, EntryKey.value == value)
    )


def _text(asked: Text) -> SQLCoreOperations[str] | SQLCoreOperations[str | None]:
    if asked is None or isinstance(asked, str):
        return literal(asked, Placement.text.type)
    return asked
