"""Asking: by which of its platform's ways a listing is asked, and how any other page is read."""

from datetime import datetime

from campaigns import audit
from campaigns.db import db
from campaigns.model.listing import Asking, Listing
from campaigns.model.staff import Staff
from campaigns.platforms import generic, registry
from campaigns.platforms.generic_how import How


class UnknownWay(Exception):
    """The platform has no way of this name that could be chosen."""


def change_way(listing: Listing, way: str, now: datetime, by: Staff) -> None:
    """Have a listing asked in another of its platform's ways. The second time does nothing.

    Raises `UnknownWay`. How a page of `generic` is read belongs to its way: see `change_how`.
    """
    names = [one.name for one in registry.platform(listing.platform).WAYS]
    if way not in names or listing.platform == generic.NAME:
        raise UnknownWay
    before = listing.way or names[0]
    if way == before:
        return
    listing.way = way
    _anew(listing, now)
    audit.record("change way", listing, now, by=by, changes={"way": (before, way)})


def change_how(listing: Listing, page: str, way: str, how: How, now: datetime, by: Staff) -> None:
    """Read a listing of `generic` in another way, place or address; its id stays as it was.

    `page` is what donors open. The currency stays too: what was reported is in it. Twice the same
    records nothing new.
    """
    told = how.as_json() | {"currency": listing.currency}
    before = {"url": listing.url, "way": listing.way, **(listing.how or {})}
    after = {"url": page, "way": way, **told}
    changes = {
        name: (before.get(name), new) for name, new in after.items() if before.get(name) != new
    }
    if not changes:
        return
    listing.url, listing.way, listing.how = page, way, told
    _anew(listing, now)
    audit.record("change how it is read", listing, now, by=by, changes=changes)


def _anew(listing: Listing, now: datetime) -> None:
    """Ask at once and for all of it: that nothing changed is no answer to another question."""
    listing.host = registry.host(
        listing.platform, listing.external_id, listing.url, listing.way, listing.how
    )
    listing.etag = listing.last_modified = None
    if listing.asking is Asking.ASKED:
        listing.next_poll_at = now
    db.session.flush()
