"""The rows of a table of figures: which listing each is about, and what stands there of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import or_, select

from campaigns.db import db
from campaigns.files.pasted import Columns, Line
from campaigns.model.campaign import CampaignSlug
from campaigns.model.listing import Listing
from campaigns.money import BadMoney, Money, decimals
from campaigns.platforms import cells, registry, typed
from campaigns.platforms.base import Reading
from campaigns.platforms.cells import BadCell
from campaigns.web.staff import gift_rows
from campaigns.web.staff.forms import bad_amount, plain_number
from config import LOCALES

MOST = 500
# Each column with the headings it goes by beside its own name, those of our own table among them.
HEADINGS = {
    "listing": ("listing number", "id", "编号", "平台页面编号"),
    "campaign": ("campaign's address", "slug", "项目", "活动", "项目地址"),
    "platform": ("平台",),
    "page": ("number there", "external id", "平台上的编号", "平台编号"),
    "raised": ("figure", "amount", "已筹", "金额", "数字"),
    "donations": ("捐赠笔数", "笔数", "人次"),
    "moment": ("true at", "as of", "when", "时间", "截至", "数字的时间"),
    "currency": ("货币", "币种"),
    "before": ("last figure", "上次的数字"),
    "since": ("last true at", "上次的时间"),
    "address": ("page's address", "网址"),
}
COLUMNS = Columns(HEADINGS, needed=("raised",), most=MOST)


@dataclass(frozen=True)
class Read:
    """One row: as what a listing has raised, or with what is wrong."""

    line: Line
    listing: Listing | None = None
    reading: Reading | None = None
    error: str | None = None


def read(lines: Sequence[Line], zone: str, otherwise: datetime, now: datetime) -> list[Read]:
    """Every row with a figure; of those that name no moment it is of `otherwise`.

    A row without a figure is one that nobody filled in.
    """
    filled = [line for line in lines if line.broken or line["raised"].strip()]
    known = _Known(filled)
    return [_read(line, known, zone, otherwise, now) for line in filled]


class _Known:
    """The listings that a table may be about: by number, and by campaign and platform."""

    def __init__(self, lines: Sequence[Line]) -> None:
        ids = {id for line in lines if (id := _id(line["listing"])) is not None}
        slugs = {_plain(line["campaign"]) for line in lines}
        rows = db.session.execute(
            select(Listing, CampaignSlug.slug)
            .join(CampaignSlug, CampaignSlug.campaign_id == Listing.campaign_id)
            # What is given directly has no page that a figure could be read on.
            .where(Listing.url != "", or_(Listing.id.in_(ids), CampaignSlug.slug.in_(slugs)))
            .order_by(Listing.id)
        )
        self._of_id: dict[int, Listing] = {}
        self._slugs: defaultdict[int, set[str]] = defaultdict(set)
        for listing, slug in rows:
            self._of_id[listing.id] = listing
            self._slugs[listing.id].add(slug)

    def find(self, line: Line) -> Listing:
        """The one that a row is about. Raises `BadCell` with a sentence for people."""
        if line["listing"].strip():
            return self._numbered(line)
        if not line["campaign"].strip() or not line["platform"].strip():
            raise BadCell(_("Write the listing's number, or its campaign and platform."))
        found = [one for one in self._of_id.values() if self._fits(one, line)]
        number = cells.number(line["page"])
        if number is not None:
            found = [one for one in found if one.external_id == number]
        if not found:
            raise BadCell(_("No listing of this campaign is on this platform."))
        if len(found) > 1:
            raise BadCell(_("Several listings are: write the listing's number."))
        return found[0]

    def _numbered(self, line: Line) -> Listing:
        """Campaign and platform must fit, in case a column was sorted alone.

        Not so the number there: spreadsheets round long ones.
        """
        id = _id(line["listing"])
        listing = self._of_id.get(id) if id is not None else None
        if listing is None:
            raise BadCell(_("There is no listing of this number."))
        if not self._fits(listing, line):
            raise BadCell(_("This listing is of another campaign or platform."))
        return listing

    def _fits(self, listing: Listing, line: Line) -> bool:
        """As far as the row says; a platform goes by its name in any language, or by ours."""
        slug, platform = _plain(line["campaign"]), _plain(line["platform"])
        return (not slug or slug in self._slugs[listing.id]) and (
            not platform or platform in _names(listing)
        )


def _names(listing: Listing) -> set[str]:
    """What a listing's platform is called, in every language: a table may be a colleague's."""
    names = {listing.platform, listing.called or ""}
    for locale in LOCALES:
        with force_locale(locale.replace("-", "_")):
            names.add(_(registry.label(listing.platform)))
    return {name.casefold() for name in names}


def _read(line: Line, known: _Known, zone: str, otherwise: datetime, now: datetime) -> Read:
    if line.broken:
        said = _("The cells do not fit the columns. Look for a stray quote or delimiter.")
        return Read(line, error=said)
    listing = None
    try:
        listing = known.find(line)
        reading = Reading(
            _raised(line, listing.currency),
            _moment(line["moment"].strip(), zone, now) or otherwise,
            donations=_donations(line["donations"]),
        )
    except BadCell as error:
        reason, colon, detail = str(error).partition(": ")
        return Read(line, listing, error=f"{_(reason)}{_(': ')}{detail}" if colon else _(reason))
    return Read(line, listing, reading)


def _moment(cell: str, zone: str, now: datetime) -> datetime | None:
    """None where it is left to the whole table, as when a row says but today."""
    moment = gift_rows.moment(cell, zone, now) if cell else now
    return None if moment == now else moment


def _raised(line: Line, own: str) -> Money:
    """In the row's currency, which may be another than the listing's: then it is held."""
    currency = line["currency"].strip().upper() or own
    try:
        decimals(currency)
    except BadMoney as error:
        raise BadCell(_("Use a currency's code, such as CNY or USD.")) from error
    try:
        raised = typed.amount(line["raised"], currency)
    except BadMoney as error:
        raise BadCell(bad_amount(currency)) from error
    if raised is None:
        raise BadCell(bad_amount(currency))
    return raised


def _donations(cell: str) -> int | None:
    text = plain_number(cell)
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise BadCell(_("Write a whole number, such as 30."))
    return int(text) if text else None


def _plain(cell: str) -> str:
    """Without the apostrophe that makes our own tables inert."""
    return cell.strip().removeprefix("'").casefold()


def _id(cell: str) -> int | None:
    text = cell.strip().removeprefix("'")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
