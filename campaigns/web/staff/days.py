"""Days: what a figure is made of, by day and kind, each leading to its entries."""

from dataclasses import dataclass
from datetime import date

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.entry import COUNTED, EntryKind
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.model.total import Total
from campaigns.money import Money
from campaigns.web import language
from campaigns.web.staff import figure
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import needs

bp = Blueprint("days", __name__, url_prefix="/ledger/days")

PER_PAGE = 60  # days


@dataclass(frozen=True)
class Row:
    """Entries of one day, kind and currency."""

    day: date
    kind: EntryKind
    amount: Money
    entries: int
    donations: int

    @property
    def counted(self) -> bool:
        return self.kind in COUNTED


@bp.get("/campaign/<int:id>")
@needs(Permission.SEE_LEDGER)
def of_campaign(id: int) -> str:
    campaign = found(Campaign, id)
    return _page(_title(campaign), {"campaign": id}, [one.id for one in campaign.listings])


@bp.get("/listing/<int:id>")
@needs(Permission.SEE_LEDGER)
def of_listing(id: int) -> str:
    listing = found(Listing, id)
    title = _title(found(Campaign, listing.campaign_id))
    name = _("%(platform)s for %(campaign)s", platform=figure.platform(listing),
             campaign=title)  # fmt: skip
    return _page(name, {"listing": id}, [id])


def _page(name: str, chosen: dict[str, int], listing_ids: list[int]) -> str:
    days = _days(listing_ids)
    rows = _rows(listing_ids, days[:PER_PAGE])
    last = rows[-1].day if rows else None
    earlier = url_for(request.endpoint or "", **(request.view_args or {}), before=last)
    return show(
        "staff/days.html",
        _("%(name)s by day", name=name),
        (_("Ledger"), url_for("staff.ledger.index")),
        tabs=ledger_tabs("ledger"),
        chosen=chosen,
        rows=rows,
        earlier=earlier if len(days) > PER_PAGE else None,
    )


def _days(listing_ids: list[int]) -> list[date]:
    """The newest days with entries before the one that the address names, and one more."""
    asked = select(Total.day).where(Total.listing_id.in_(listing_ids)).distinct()
    before = _before()
    if before is not None:
        asked = asked.where(Total.day < before)
    return list(db.session.scalars(asked.order_by(Total.day.desc()).limit(PER_PAGE + 1)))


def _rows(listing_ids: list[int], days: list[date]) -> list[Row]:
    if not days:
        return []
    sums = db.session.execute(
        select(
            Total.day,
            Total.kind,
            Total.currency,
            func.sum(Total.amount_minor),
            func.sum(Total.entries),
            func.sum(Total.donations),
        )
        .where(Total.listing_id.in_(listing_ids), Total.day.between(days[-1], days[0]))
        .group_by(Total.day, Total.kind, Total.currency)
        .order_by(Total.day.desc(), Total.kind, Total.currency)
    )
    return [
        Row(day, kind, Money(int(amount), currency), int(entries), int(donations))
        for day, kind, currency, amount, entries, donations in sums
    ]


def _before() -> date | None:
    try:
        return date.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None


def _title(campaign: Campaign) -> str:
    return campaign.text(language.current()).title
