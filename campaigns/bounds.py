"""Bounds: the listing that a notice means, among those that its endpoint may book to."""

from sqlalchemy import exists, select

from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing


class Unmatched(Exception):
    """Within the endpoint's bounds there is no listing, or more than one, that it could mean."""


def place(endpoint: WebhookEndpoint, ref: str | None) -> Listing:
    """The one listing within the endpoint's bounds that `ref` names.

    `ref` is a listing's external id, or a slug that the campaign has or had; without it there
    must be only one that could be meant. Raises `Unmatched`.
    """
    within = (
        Listing.id == endpoint.listing_id
        if endpoint.listing_id is not None
        else Listing.campaign_id == endpoint.campaign_id
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
