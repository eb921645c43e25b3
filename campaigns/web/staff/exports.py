"""Exports: what a page of entries or donors shows, whole, as CSV or as a workbook."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from campaigns import audit, exporting
from campaigns.db import db
from campaigns.exporting import Table
from campaigns.files import export
from campaigns.model.entry import Door, EntryKind, MatchStage
from campaigns.model.staff import Permission
from campaigns.web.staff import ledger
from campaigns.web.staff.session import me, needs

bp = Blueprint("exports", __name__, url_prefix="/exports")

# A workbook is made before its first byte is sent; longer ones would try a person's patience.
LONGEST_BOOK = 200_000  # rows
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHUNK = 64 * 1024
COLUMNS = {
    "number": _l("Number"),
    "when": _l("When"),
    "day": _l("Day"),
    "kind": _l("Kind"),
    "stage": _l("Stage"),
    "amount": _l("Amount"),
    "currency": _l("Currency"),
    "donations": _l("Donations"),
    "campaign": _l("Campaign"),
    "platform": _l("Platform"),
    "listing": _l("Listing"),
    "source": _l("Came by"),
    "door": _l("Door"),
    "numbers": _l("Known as"),
    "regards": _l("Is about"),
    "reverses": _l("Takes back"),
    "reason": _l("Reason"),
    "booked": _l("Booked"),
    "notice": _l("Notice"),
    "import": _l("Import"),
    "name": _l("Name"),
    "address": _l("Address"),
    "language": _l("Language"),
    "since": _l("Known since"),
    "gifts": _l("Gifts"),
    "last gift": _l("Last gift"),
    "mailing": _l("Mailing"),
    "state": _l("State"),
    "why": _l("Why"),
    "changed": _l("Last change"),
    "written": _l("Written"),
    "tries": _l("Tries"),
    "server": _l("Mail server"),
    "code": _l("Code"),
    "answer": _l("What the relay said"),
    "came back": _l("What came back"),
    "letter": _l("Letter"),
}

WORDS = {
    EntryKind.DONATION: _l("donation"),
    EntryKind.REFUND: _l("refund"),
    EntryKind.CHARGEBACK: _l("chargeback"),
    EntryKind.MATCH: _l("match"),
    EntryKind.FEE: _l("fee"),
    EntryKind.PAYOUT: _l("payout"),
    EntryKind.DISBURSEMENT: _l("disbursement"),
    EntryKind.EXPENSE: _l("expense"),
    MatchStage.ANNOUNCED: _l("announced"),
    MatchStage.CONFIRMED: _l("confirmed"),
    MatchStage.RECEIVED: _l("received"),
    Door.WEBHOOK: _l("webhook"),
    Door.FILE: _l("file"),
    Door.HAND: _l("by hand"),
}


@bp.get("/entries.<format>")
@needs(Permission.SEE_LEDGER)
def entries(format: str) -> Any:
    """The entries of the ledger page with its filters, in a transaction that only reads."""
    known(format)
    words = {word.value: str(told) for word, told in WORDS.items()}
    table = exporting.entries(ledger.chosen_by(ledger.filters()), zone(), words)
    if format == "xlsx" and table.longer_than(LONGEST_BOOK):
        flash(_("There are too many entries for a workbook. Take the CSV, or choose fewer."))
        return redirect(
            f"{url_for('staff.ledger.index')}?{request.query_string.decode('ascii', 'ignore')}"
        )
    return sent(table, format, _("entries"), "entries")


@bp.post("/donors.<format>")
@needs(Permission.SEE_DONORS)
def donors(format: str) -> Any:
    """The donors of the search, and a record that somebody took them: so a POST."""
    known(format)
    text = request.form.get("q", "")[:320]
    table = exporting.people(text, zone())
    if format == "xlsx" and table.longer_than(LONGEST_BOOK):
        flash(_("There are too many donors for a workbook. Take the CSV, or choose fewer."))
        return redirect(url_for("staff.donors.index"))
    changes: dict[str, tuple[object, object]] = {
        "format": (None, format),
        "search": (None, "some" if text.strip() else "all"),
    }
    audit.record("exported donors", me(), datetime.now(UTC), by=me(), changes=changes)
    db.session.commit()
    return sent(table, format, _("donors"), "donors")


def known(format: str) -> None:
    if format not in TYPES:
        abort(404)


def zone() -> ZoneInfo:
    return ZoneInfo(me().timezone)


def sent(table: Table, format: str, name: str, plain: str) -> Response:
    """Piece by piece; the name in the reader's language beside a plain one (RFC 6266, RFC 5987)."""
    day = datetime.now(zone()).date().isoformat()
    header = [_column(column) for column in table.columns]
    rows = table.rows(db.engine)
    if format == "csv":
        body: Iterator[bytes] = export.csv_of(header, rows)
    else:
        body = _pieces(export.xlsx_of(header, rows))
    response = Response(body, mimetype=TYPES[format])
    response.headers["Content-Disposition"] = (
        f"attachment; filename={plain}-{day}.{format}; "
        f"filename*=UTF-8''{quote(f'{name}-{day}.{format}')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _column(name: str) -> str:
    known = COLUMNS.get(name)
    if known is not None:
        return str(known)
    return _("Given in %(currency)s", currency=name.rpartition(" ")[2])


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK):
            yield piece
