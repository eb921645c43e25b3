"""A table of rates, pasted or as a small file: seen row by row, then kept all or none."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField

from campaigns import rates
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.files.pasted import Columns, Line
from campaigns.model.staff import Permission
from campaigns.money import BadMoney, decimals
from campaigns.platforms import cells
from campaigns.platforms.cells import BadCell
from campaigns.rates import Quote
from campaigns.web.staff import small_tables
from campaigns.web.staff.forms import Form, currency_field, longest, plain_number
from campaigns.web.staff.page import ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("rates_table", __name__, url_prefix="/rates/table")

MOST = 2000
COLUMNS = Columns(
    {
        "day": ("date", "日期"),
        "currency": ("base", "one unit of", "币种", "货币", "外币"),
        "rate": ("汇率", "中间价", "was worth"),
        "quote": ("in the currency", "折合币种", "本币"),
        "source": ("according to", "来源", "依据"),
    },
    needed=("day", "currency", "rate"),
    most=MOST,
)
EXAMPLE = "day,currency,rate,source\n2026-11-20,USD,7.1052,PBOC"


class RatesForm(Form):
    file = FileField(_l("File"), description=_l("CSV, at most 1 MB."))
    table = TextAreaField(
        _l("Or its rows"),
        [longest(small_tables.LONGEST)],
        description=_l("A first row names the columns: day, currency, rate, and source, quote."),
        render_kw={"rows": 8, "placeholder": EXAMPLE, "spellcheck": "false"},
    )
    quote = currency_field(
        _l("in the currency"), default="CNY", description=_l("Where no column says it.")
    )
    source = StringField(
        _l("According to"), [longest(200)], description=_l("Where no column says it.")
    )


@dataclass(frozen=True)
class Read:
    """One row: as a rate, or with what is wrong."""

    line: Line
    quote: Quote | None = None
    error: str | None = None


@dataclass(frozen=True)
class Shown:
    """A row of the preview."""

    line: Line
    error: str | None
    row: rates.Row | None


@dataclass(frozen=True)
class Preview:
    rows: list[Shown]

    @property
    def wrong(self) -> int:
        return sum(1 for row in self.rows if row.error)

    @property
    def new(self) -> int:
        return sum(1 for row in self.rows if row.row is not None and not row.row.known)


@bp.get("")
@needs(Permission.ENTER_RATES)
def index() -> str:
    return _page(RatesForm(formdata=None))


@bp.post("")
@needs(Permission.ENTER_RATES)
def enter() -> Any:
    form = RatesForm()
    read = _read(form) if form.validate() else None
    if read is None:
        return _page(form), 400
    quotes = [(row.line.number, row.quote) for row in read if row.quote is not None]
    found = {row.number: row for row in rates.enter_all(quotes, datetime.now(UTC), me())}
    preview = Preview([_shown(row, found.get(row.line.number)) for row in read])
    if preview.wrong or request.form.get("step") != "do":
        db.session.rollback()
        return _page(form, preview), 400 if preview.wrong else 200
    db.session.commit()
    flash(ngettext("%(num)d rate is kept.", "%(num)d rates are kept.", preview.new))
    return redirect(url_for("staff.rates.index"))


def _read(form: RatesForm) -> list[Read] | None:
    """Every row; None, with the reason beside the field, where the table as a whole is none."""
    field = "file" if form.file.data else "table"
    try:
        if form.file.data:
            # From here on the rows travel in the field, so that a second press has them too.
            form.table.data = small_tables.text(form.file.data)
        lines = COLUMNS.lines(form.table.data or "")
    except BadFile as error:
        form.refuse(field, small_tables.told(error, COLUMNS))
        return None
    return [_row(line, form) for line in lines]


def _row(line: Line, form: RatesForm) -> Read:
    if line.broken:
        said = _("The cells do not fit the columns. Look for a stray quote or delimiter.")
        return Read(line, error=said)
    try:
        quote = Quote(
            day=_day(line["day"]),
            base=_currency(line["currency"]),
            quote=_currency(line["quote"] or form.quote.data),
            rate=Decimal(plain_number(line["rate"])),
            source=line["source"] or (form.source.data or "").strip(),
        )
    except InvalidOperation:
        return Read(line, error=_("Write a rate such as 7.1268."))
    except BadMoney:
        return Read(line, error=_("Use a currency's code, such as CNY or USD."))
    except BadCell:
        return Read(line, error=_("Write a day such as 2026-11-22."))
    return Read(line, quote)


def _day(text: str) -> date:
    return cells.Moments("UTC").read(text).date()


def _currency(text: str) -> str:
    code = text.strip().upper()
    decimals(code)
    return code


def _shown(row: Read, became: rates.Row | None) -> Shown:
    if became is None:
        return Shown(row.line, row.error, None)
    return Shown(row.line, _(became.refusal) if became.refusal else None, became)


def _page(form: RatesForm, preview: Preview | None = None) -> str:
    return show(
        "staff/rates_table.html",
        _("Rates as a table"),
        (_("Rates"), url_for("staff.rates.index")),
        tabs=ledger_tabs("rates"),
        form=form,
        preview=preview,
    )
