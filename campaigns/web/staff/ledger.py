"""The ledger: every entry with the numbers it is known by."""

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import figure, masked, paging
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("ledger", __name__, url_prefix="/ledger")


@bp.get("")
@needs(Permission.SEE_LEDGER)
def index() -> str:
    chosen = _filters()
    query = select(Entry).where(stands()).options(selectinload(Entry.keys))
    for column, name in ((Entry.campaign_id, "campaign"), (Entry.listing_id, "listing")):
        if chosen[name]:
            query = query.where(column == int(chosen[name]))
    if chosen["kind"]:
        query = query.where(Entry.kind == EntryKind(chosen["kind"]))
    return show(
        "staff/ledger.html",
        _("Ledger"),
        tabs=ledger_tabs("ledger"),
        table=paging.newest_first(query, Entry.id, chosen),
        chosen=chosen,
        campaigns=_campaigns(),
        kinds=list(EntryKind),
    )


@bp.get("/<int:id>")
@needs(Permission.SEE_LEDGER)
def one(id: int) -> str:
    entry = found(Entry, id)
    listing = db.session.get(Listing, entry.listing_id) if entry.listing_id else None
    return show(
        "staff/entry.html",
        _("Entry %(number)s", number=entry.id),
        (_("Ledger"), url_for("staff.ledger.index")),
        entry=entry,
        campaign=found(Campaign, entry.campaign_id),
        title=found(Campaign, entry.campaign_id).text(language.current()).title,
        listing=listing,
        platform=figure.platform(listing.platform) if listing else None,
        reversal=db.session.scalar(select(Entry).where(Entry.reverses == entry.id)),
        gift=_gift(entry),
    )


def _filters() -> dict[str, str]:
    """What the address chose; anything that is no choice counts as none."""
    numbers = {name: request.args.get(name, "") for name in ("campaign", "listing")}
    chosen = {
        name: text if text.isascii() and text.isdecimal() and len(text) < 19 else ""
        for name, text in numbers.items()
    }
    kind = request.args.get("kind", "")
    return {**chosen, "kind": kind if kind in list(EntryKind) else ""}


def _campaigns() -> list[tuple[str, str]]:
    every = db.session.scalars(select(Campaign).order_by(Campaign.id.desc()))
    titles = [(str(row.id), row.text(language.current()).title) for row in every]
    return [("", _("All campaigns")), *titles]


def _gift(entry: Entry) -> dict[str, str | None] | None:
    """Who gave: in full only for those who may see donors."""
    gift = db.session.get(Gift, entry.id)
    if gift is None:
        return None
    donor = gift.donor
    if me().may(Permission.SEE_DONORS):
        return {
            "name": donor.name if donor else None,
            "address": donor.address if donor else None,
            "message": gift.message,
        }
    return {
        "name": masked.name(donor.name if donor else None),
        "address": masked.address(donor.address if donor else None),
        "message": None,
    }
