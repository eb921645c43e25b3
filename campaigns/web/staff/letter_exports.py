"""Letters as CSV or workbook: what a list of them shows, and who was told about an update."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _

from campaigns import audit, letterbook, recipients
from campaigns.db import db
from campaigns.exporting import Table
from campaigns.files.export import Cell
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web.staff import exports, letter_words, masked
from campaigns.web.staff import recipients as told
from campaigns.web.staff.page import found
from campaigns.web.staff.session import me, needs

bp = Blueprint("letter_exports", __name__, url_prefix="/exports")

LETTER_COLUMNS = (
    "number",
    "mailing",
    "address",
    "name",
    "language",
    "state",
    "why",
    "written",
    "changed",
    "tries",
    "server",
    "code",
    "answer",
    "came back",
)
TOLD_COLUMNS = (
    "number",
    "address",
    "name",
    "state",
    "why",
    "changed",
    "language",
    "letter",
    "mailing",
)


# Each is a POST, since a record says that somebody took them. Addresses are as the list shows them.
@bp.post("/mailings/<int:id>/letters.<format>")
@needs(Permission.LOOK)
def of_mailing(id: int, format: str) -> Any:
    exports.known(format)
    mailing, chosen = found(Mailing, id), _chosen()
    table = _letters(letter_words.sought(chosen, mailing_id=id))
    back = url_for("staff.letters.index", id=id, **chosen)
    return _taken(table, format, mailing, chosen, back)


@bp.post("/letters.<format>")
@needs(Permission.LOOK)
def service(format: str) -> Any:
    exports.known(format)
    chosen = _chosen()
    table = _letters(letter_words.sought(chosen))
    return _taken(table, format, me(), chosen, url_for("staff.letters.service", **chosen))


@bp.post("/donors/<int:id>/letters.<format>")
@needs(Permission.SEE_DONORS)
def of_donor(id: int, format: str) -> Any:
    exports.known(format)
    donor, chosen = found(Donor, id), _chosen()
    table = _letters(letter_words.sought(chosen, donor_id=id))
    return _taken(table, format, donor, chosen, url_for("staff.letters.to", id=id, **chosen))


@bp.post("/updates/<int:id>/recipients.<format>")
@needs(Permission.LOOK)
def of_update(id: int, format: str) -> Any:
    exports.known(format)
    update, begun, sought = found(Update, id), recipients.mailings(id), told.chosen(id)
    chosen: dict[str, Any] = {"state": sought.state, "reason": sought.reason}
    back = url_for("staff.recipients.index", id=id, **chosen)
    if not begun:
        return redirect(back)
    query = recipients.found(sought, begun).order_by(Donor.id.desc())
    return _taken(Table(TOLD_COLUMNS, query, _person()), format, update, chosen, back)


def _chosen() -> dict[str, Any]:
    return {**letter_words.chosen(request.form)}


def _letters(sought: letterbook.Sought) -> Table:
    return Table(LETTER_COLUMNS, letterbook.rows(sought), _letter())


def _taken(table: Table, format: str, subject: object, chosen: Mapping[str, str], back: str) -> Any:
    """The file, and the record of who took it and which letters they chose."""
    if format == "xlsx" and table.longer_than(exports.LONGEST_BOOK):
        flash(_("There are too many letters for a workbook. Take the CSV, or choose fewer."))
        return redirect(back)
    changes: dict[str, tuple[object, object]] = {"format": (None, format)}
    changes |= {name: (None, value) for name, value in chosen.items() if value}
    audit.record("exported letters", subject, datetime.now(UTC), by=me(), changes=changes)
    db.session.commit()
    return exports.sent(table, format, _("letters"), "letters")


def _letter() -> Callable[[Any], Sequence[Cell]]:
    """Cells are made while the file is sent, so what depends on the reader is asked before."""
    zone, shown, words = exports.zone(), _shown(), _words()

    def cells(row: Any) -> Sequence[Cell]:
        return (
            row.id,
            row.mailing_id,
            *((row.colleague, "") if row.staff_id else shown(row)),
            row.locale,
            words.get(row.state, row.state),
            row.reason and words.get(row.reason, row.reason),
            row.created_at.astimezone(zone),
            row.changed_at.astimezone(zone),
            row.attempts,
            row.transport,
            row.code,
            row.answer,
            row.came_back,
        )

    return cells


def _person() -> Callable[[Any], Sequence[Cell]]:
    zone, shown, words = exports.zone(), _shown(), _words()

    def cells(row: Any) -> Sequence[Cell]:
        return (
            row.id,
            *shown(row),
            words.get(row.state, row.state),
            row.reason and words.get(row.reason, row.reason),
            row.at and row.at.astimezone(zone),
            row.locale,
            row.delivery_id,
            row.mailing_id,
        )

    return cells


def _words() -> dict[str, str]:
    known = letter_words.STATES | letter_words.REASONS
    return {str(name): str(word) for name, word in known.items()}


def _shown() -> Callable[[Any], tuple[str, str]]:
    """Address and name: in full only for those who may see donors. Colleagues by their names."""
    in_full = me().may(Permission.SEE_DONORS)

    def shown(row: Any) -> tuple[str, str]:
        if in_full:
            return row.address or "", row.name or ""
        return masked.address(row.address) or "", masked.name(row.name) or ""

    return shown
