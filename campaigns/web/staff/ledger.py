"""The ledger: every entry with the numbers it is known by."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import selectinload

from campaigns import correcting, progress
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.gift import Gift
from campaigns.model.imported import stands
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import chain, figure, masked, paging
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("ledger", __name__, url_prefix="/ledger")


@bp.get("")
@needs(Permission.SEE_LEDGER)
def index() -> str:
    chosen = filters()
    query = select(Entry).where(stands(), *chosen_by(chosen)).options(selectinload(Entry.keys))
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
    family = chain.family(entry)
    return show(
        "staff/entry.html",
        _("Entry %(number)s", number=entry.id),
        (_("Ledger"), url_for("staff.ledger.index")),
        entry=entry,
        campaign=found(Campaign, entry.campaign_id),
        title=found(Campaign, entry.campaign_id).text(language.current()).title,
        listing=listing,
        platform=figure.platform(listing) if listing else None,
        part=_figure_of(listing),
        origin=chain.origin(entry),
        family=family,
        reversal=next((other for other in family if other.reverses == entry.id), None),
        replacing=next((other for other in family if other.replaces == entry.id), None),
        records=chain.records(family, entry.notice_id),
        name=chain.name,
        stands=correcting.correctable(entry),
        rebookable=correcting.rebookable(entry),
        gift=_gift(entry),
    )


def filters() -> dict[str, str]:
    """What the address chose; anything that is no choice counts as none."""
    numbers = {name: request.args.get(name, "") for name in ("campaign", "listing")}
    chosen = {
        name: text if text.isascii() and text.isdecimal() and len(text) < 19 else ""
        for name, text in numbers.items()
    }
    kind = request.args.get("kind", "")
    days = {name: _day(name) for name in ("day", "since", "until")}
    return {**chosen, "kind": kind if kind in list(EntryKind) else "", **days}


def chosen_by(filters: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """The clauses of what was chosen."""
    found: dict[str, Callable[[str], ColumnElement[bool]]] = {
        "campaign": lambda id: Entry.campaign_id == int(id),
        "listing": lambda id: Entry.listing_id == int(id),
        "kind": lambda kind: Entry.kind == EntryKind(kind),
        "day": lambda day: Entry.day == date.fromisoformat(day),
        "since": lambda day: Entry.day >= date.fromisoformat(day),
        "until": lambda day: Entry.day <= date.fromisoformat(day),
    }
    return [clause(filters[name]) for name, clause in found.items() if filters[name]]


def _day(name: str) -> str:
    try:
        return date.fromisoformat(request.args.get(name, "")).isoformat()
    except ValueError:
        return ""


def _figure_of(listing: Listing | None) -> dict[str, Any] | None:
    """The public figure that the entry's listing shows."""
    if listing is None:
        return None
    shown = progress.of(found(Campaign, listing.campaign_id), datetime.now(UTC)).listings
    return next(figure.part(0, one) for one in shown if one.listing.id == listing.id)


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
    # Without an address nobody is known as a donor; a match is given by an organisation.
    name = (donor.name if donor else None) or gift.public_name
    address = donor.address if donor else None
    if me().may(Permission.SEE_DONORS):
        return {"name": name, "address": address, "message": gift.message}
    shown = name if entry.kind is EntryKind.MATCH else masked.name(name)
    return {"name": shown, "address": masked.address(address), "message": None}
