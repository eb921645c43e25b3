"""A table of gifts pasted from a spreadsheet: seen row by row, then booked all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import Regexp

from campaigns import byhand
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.files.pasted import Line, MissingColumn, NoTable, TooManyRows, UnknownColumn
from campaigns.model.entry import EntryKind, Way
from campaigns.model.staff import Permission
from campaigns.money import Money
from campaigns.platforms.base import Giver
from campaigns.web.staff import choices, effect, gift_rows, places
from campaigns.web.staff.byhand import TOKEN, WAYS, fresh, ways_in
from campaigns.web.staff.forms import Form, currency_field, longest, offer, required, select_field
from campaigns.web.staff.gift_rows import Read
from campaigns.web.staff.page import ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("pasted", __name__, url_prefix="/by-hand/table")

LONGEST = 100_000  # characters
EXAMPLE = "day\tamount\tname\tdonors\tmessage\treference\n2026-11-22\t500.00\tLin\t1\t\tB-1"


class TableForm(Form):
    token = HiddenField(validators=[Regexp(TOKEN)])
    listing = select_field(_l("Belongs to"))
    currency = currency_field(_l("Currency"))
    way = select_field(_l("How it came"), WAYS)
    source = select_field(_l("Account"))
    table = TextAreaField(
        _l("Table"),
        [required(_l("Paste the rows.")), longest(LONGEST)],
        description=_l("Copied from a spreadsheet, or lines with commas; at most 500 rows."),
        render_kw={"rows": 10, "placeholder": EXAMPLE, "spellcheck": "false", "class": "wide"},
    )
    order = StringField(
        _l("Order of the columns"),
        [longest(300)],
        description=_l("Only if no first row names them, such as: day, amount, name, donors."),
    )
    show_name = BooleanField(_l("The names may stand on the campaign's page"))
    thank = BooleanField(_l("Send a letter of thanks to each address"))

    def offer(self) -> "TableForm":
        offer(self.listing, choices.listings(direct=True))
        offer(self.source, places.sources())
        return self

    def gifts(self, now: datetime) -> list[Read]:
        """Every row, read. Raises `BadFile` where the table as a whole is none."""
        like = Movement(
            listing=places.listing(self.listing.data, now),
            kind=EntryKind.DONATION,
            amount=Money.zero(self.currency.data),
            occurred_at=now,
            way=Way(self.way.data),
            source=self.source.data,
            giver=Giver(public_name=self.show_name.data),
            thank=self.thank.data,
        )
        lines = gift_rows.COLUMNS.lines(self.table.data, self.order.data or "")
        return gift_rows.read(lines, like, me().timezone, now)


@dataclass(frozen=True)
class Shown:
    """A row of the preview: what it says, and what is wrong with it or becomes of it."""

    line: Line
    gift: Movement | None
    errors: tuple[str, ...]
    already: bool = False


@dataclass(frozen=True)
class Preview:
    rows: list[Shown]
    figures: list[effect.Row]

    @property
    def wrong(self) -> int:
        return sum(1 for row in self.rows if row.errors)

    @property
    def new(self) -> int:
        return sum(1 for row in self.rows if not row.errors and not row.already)


@bp.get("")
@needs(Permission.BOOK)
def index() -> str:
    return _page(TableForm(**fresh()))


@bp.post("")
@needs(Permission.BOOK)
def book() -> Any:
    form, now = TableForm().offer(), datetime.now(UTC)
    read = _read(form, now) if form.validate() else None
    if read is None:
        return _page(form), 400
    if request.form.get("step") == "do" and not any(row.errors for row in read):
        rows = byhand.book_all(_gifts(read), form.token.data, now, me())
        if not any(row.refusal for row in rows):
            return _done(rows)
        db.session.rollback()
    preview = _tried(form, _read(form, now) or [], now)
    return _page(form, preview), 400 if preview.wrong else 200


def _done(rows: list[byhand.Row]) -> Response:
    db.session.commit()
    new = sum(1 for row in rows if row.booked and not row.booked.already)
    flash(ngettext("%(num)d gift is booked.", "%(num)d gifts are booked.", new))
    return redirect(url_for("staff.byhand.index"))


def _read(form: TableForm, now: datetime) -> list[Read] | None:
    """Every row; None, with the reason beside the field, where the table as a whole is none."""
    try:
        return form.gifts(now)
    except BadFile as error:
        db.session.rollback()
        form.refuse("order" if form.order.data else "table", _told(error))
        return None


def _tried(form: TableForm, read: list[Read], now: datetime) -> Preview:
    """What would become of every row, found by booking them and undoing it. Who gave changes
    nothing about that."""
    booked: dict[int, byhand.Row] = {}
    bare = [(number, replace(gift, giver=Giver(), message=None)) for number, gift in _gifts(read)]

    def change() -> None:
        rows = byhand.book_all(bare, form.token.data, now, me())
        booked.update((row.number, row) for row in rows)

    figures = effect.of(change, {places.campaign_id(form.listing.data)}, now)
    return Preview([_shown(row, booked) for row in read], figures)


def _gifts(read: list[Read]) -> list[tuple[int, Movement]]:
    return [(row.line.number, row.gift) for row in read if row.gift is not None]


def _shown(row: Read, booked: Mapping[int, byhand.Row]) -> Shown:
    became = booked.get(row.line.number)
    if became is None:
        return Shown(row.line, None, row.errors)
    refused = (str(became.refusal),) if became.refusal else ()
    already = became.booked is not None and became.booked.already
    return Shown(row.line, row.gift, refused, already)


def _told(error: BadFile) -> str:
    columns = ", ".join(gift_rows.HEADINGS)
    if isinstance(error, UnknownColumn):
        return _("No column is called “%(name)s”. There are: %(columns)s.",
                 name=error.name, columns=columns)  # fmt: skip
    if isinstance(error, MissingColumn):
        return _("The column “%(name)s” must be there once.", name=error.name)
    if isinstance(error, TooManyRows):
        return _("At most %(most)s rows are pasted at once. Import a longer table as a file.",
                 most=gift_rows.MOST)  # fmt: skip
    if isinstance(error, NoTable):
        return _("Name the columns in the first row, or say their order: %(columns)s.",
                 columns=columns)  # fmt: skip
    return _("This is no table that can be read: a line has no end.")


def _page(form: TableForm, preview: Preview | None = None) -> str:
    return show(
        "staff/pasted.html",
        _("By hand"),
        tabs=ledger_tabs("byhand"),
        ways=ways_in("staff.pasted.index"),
        form=form.offer(),
        preview=preview,
        zone=me().timezone,
    )
