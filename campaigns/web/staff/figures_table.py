"""A table of figures, pasted or as a small file: each row's verdict is seen before any is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf.file import FileField
from wtforms import TextAreaField

from campaigns import reporting, rounds
from campaigns.db import db
from campaigns.files import export
from campaigns.files.bad import BadFile
from campaigns.files.pasted import Line
from campaigns.model.report import ReportState
from campaigns.model.staff import Permission
from campaigns.money import Money
from campaigns.rounds import Stop
from campaigns.web.staff import choices, figure, figure_rows, figures_by_hand, small_tables
from campaigns.web.staff.figure_rows import COLUMNS, Read
from campaigns.web.staff.figures_by_hand import MomentForm
from campaigns.web.staff.forms import longest
from campaigns.web.staff.page import campaign_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("figures_table", __name__, url_prefix="/figures/table")

EXAMPLE = "listing,raised,moment\n12,114010.00,2026-11-22 14:05"
# The columns of our own table, in their order.
TEMPLATE = {
    "listing": _l("Listing number"),
    "campaign": _l("Campaign's address"),
    "platform": _l("Platform"),
    "page": _l("Number there"),
    "raised": _l("Raised"),
    "donations": _l("Donations"),
    "moment": _l("True at"),
    "currency": _l("Currency"),
    "before": _l("Last figure"),
    "since": _l("Last true at"),
    "address": _l("Page's address"),
}


class TableForm(MomentForm):
    file = FileField(_l("File"), description=_l("CSV, at most 1 MB."))
    table = TextAreaField(
        _l("Or its rows"),
        [longest(small_tables.LONGEST)],
        description=_l("A first row names the columns: listing and raised, and moment, donations, "
                       "currency. Instead of the listing, campaign and platform will do."),
        render_kw={"rows": 8, "placeholder": EXAMPLE, "spellcheck": "false"},
    )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A row of the preview: what it says, and what is wrong with it or would become of it."""

    line: Line
    error: str | None = None
    listing: str | None = None
    raised: Money | None = None
    moment: datetime | None = None
    state: ReportState | None = None
    reason: str | None = None
    new: bool = False


@dataclass(frozen=True)
class Preview:
    rows: list[Shown]

    @property
    def wrong(self) -> int:
        return sum(1 for row in self.rows if row.error)

    @property
    def new(self) -> int:
        return sum(1 for row in self.rows if row.new)

    @property
    def held(self) -> int:
        return sum(1 for row in self.rows if row.new and row.state is ReportState.QUARANTINED)


@bp.get("")
@needs(Permission.ENTER_REPORTS)
def index() -> str:
    return _page(TableForm(**figures_by_hand.fresh()))


@bp.post("")
@needs(Permission.ENTER_REPORTS)
def enter() -> Any:
    form, now = TableForm(), datetime.now(UTC)
    moment = figures_by_hand.moment_of(form, now)
    read = _read(form, moment, now) if moment is not None else None
    if read is None:
        return _page(form), 400
    preview = Preview(judged(read, now))
    if preview.wrong or request.form.get("step") != "do":
        db.session.rollback()
        return _page(form, preview), 400 if preview.wrong else 200
    db.session.commit()
    flash(ngettext("%(num)d figure is kept.", "%(num)d figures are kept.", preview.new))
    if preview.held:
        flash(ngettext("One of them is being checked.", "%(num)d of them are being checked.",
                       preview.held))  # fmt: skip
    return redirect(url_for("staff.figures.index"))


@bp.get("/figures.csv")
@needs(Permission.ENTER_REPORTS)
def template() -> Response:
    """The listings on the round, to be filled in and handed in again."""
    now, zone = datetime.now(UTC), ZoneInfo(me().timezone)
    stops = rounds.of(now)[: figure_rows.MOST]
    rows = [_row(stop, zone) for stop in stops]
    response = Response(
        export.csv_of([str(label) for label in TEMPLATE.values()], rows), mimetype="text/csv"
    )
    day = now.astimezone(zone).date().isoformat()
    response.headers["Content-Disposition"] = f"attachment; filename=figures-{day}.csv"
    response.headers["Cache-Control"] = "no-store"
    return response


def judged(read: list[Read], now: datetime) -> list[Shown]:
    """What became of every row, kept in this transaction, which is the caller's to undo."""
    names = choices.names()
    good = [(row.listing, row.reading) for row in read if row.listing and row.reading]
    entered = iter(reporting.enter_all(good, now, me()))
    shown = []
    for row in read:
        name = names[row.listing.id] if row.listing else None
        called = f"{name.title} · {name.page}" if name else None
        if row.reading is None:
            shown.append(Shown(row.line, row.error, called))
            continue
        (report, new), read_at = next(entered), row.reading.moment
        raised, state = row.reading.raised, report.state
        shown.append(Shown(row.line, None, called, raised, read_at, state, report.reason, new))
    return shown


def _read(form: TableForm, moment: datetime, now: datetime) -> list[Read] | None:
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
    read = figure_rows.read(lines, me().timezone, moment, now)
    if not read:
        form.refuse(field, _("No row has a figure in the column “raised”."))
        return None
    return read


def _row(stop: Stop, zone: ZoneInfo) -> export.Row:
    listing, last = stop.listing, stop.last
    whole = last.whole if last else None
    return (
        listing.id,
        stop.campaign.slug,
        figure.platform(listing),
        listing.external_id,
        None,
        None,
        None,
        listing.currency,
        whole.decimal if whole else None,
        last.moment.astimezone(zone) if last else None,
        listing.url,
    )


def _page(form: TableForm, preview: Preview | None = None) -> str:
    return show(
        "staff/figures_table.html",
        _("Enter figures"),
        tabs=campaign_tabs("figures"),
        form=form,
        preview=preview,
        zone=me().timezone,
    )
