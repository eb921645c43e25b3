"""Places: the listing that each row of a file belongs to, looked up without the database."""

from collections import OrderedDict
from typing import NamedTuple

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.campaign import CampaignSlug
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy, Placement
from campaigns.platforms.base import Item

# So many donations are remembered for the fees and refunds further down that are about them; what
# is forgotten is placed by the ledger when the import is committed.
REMEMBERED = 50_000


class Place(NamedTuple):
    listing_id: int
    campaign_id: int


class Places:
    """Where rows of one source belong: as the import says, else by what they name, else by rules.

    A row's `ref` is a listing's external id or a slug of a campaign with one listing. Rules are
    those of `bounds.ruled`, in the same order. A refund or fee without any of these belongs to
    the listing of its donation.
    """

    def __init__(self, source: str, listing_id: int | None) -> None:
        listings = db.session.execute(select(Listing.id, Listing.campaign_id, Listing.external_id))
        every = {row.id: (Place(row.id, row.campaign_id), row.external_id) for row in listings}
        self._all = every[listing_id][0] if listing_id is not None else None
        self._by_ref: dict[str, Place | None] = {}
        self._by_order: list[tuple[str, Place]] = []
        self._donations: OrderedDict[str, Place] = OrderedDict()
        if self._all is None:
            self._learn(source, {id: place for id, (place, _) in every.items()})
            self._by_ref |= _unambiguous([(name, place) for place, name in every.values()])

    def of(self, item: Item) -> Place | None:
        """None where a person has to say it."""
        if self._all is not None:
            return self._all
        place = self._named(item) or self._donations.get(item.regards or "")
        if place and item.trade:
            self._donations[f"trade:{item.trade}"] = place
            if len(self._donations) > REMEMBERED:
                self._donations.popitem(last=False)
        return place

    def _named(self, item: Item) -> Place | None:
        if item.ref and (place := self._by_ref.get(item.ref)):
            return place
        order = item.order or ""
        return next((place for text, place in self._by_order if order.startswith(text)), None)

    def _learn(self, source: str, places: dict[int, Place]) -> None:
        rules = db.session.scalars(select(Placement).where(Placement.source == source)).all()
        for rule in rules:
            if rule.by is PlacedBy.REF:
                self._by_ref[rule.text] = places[rule.listing_id]
            else:
                self._by_order.append((rule.text, places[rule.listing_id]))
        self._by_order.sort(key=lambda rule: -len(rule[0]))
        slugs = db.session.execute(select(CampaignSlug.slug, CampaignSlug.campaign_id))
        self._by_ref |= _unambiguous(
            [
                (slug, place)
                for slug, campaign_id in slugs
                for place in places.values()
                if place.campaign_id == campaign_id
            ]
        )


def _unambiguous(named: list[tuple[str, Place]]) -> dict[str, Place | None]:
    """Names with their place; one that could mean several means none."""
    found: dict[str, Place | None] = {}
    for name, place in named:
        found[name] = None if name in found else place
    return found
