"""To settle: a row of a file that the ledger contradicted while the file was booked."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import assigning
from campaigns.assigning import Settled
from campaigns.bookings import LedgerError
from campaigns.db import db
from campaigns.model.imported import Import, ImportRow, turned
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.web.staff import choices, reasons
from campaigns.web.staff.forms import Form, longest, offer, required
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.settle import InsistForm

bp = Blueprint("turned", __name__, url_prefix="/settle/turned/<int:file>/<int:position>")


class LeaveForm(Form):
    why_left = StringField(
        _l("Reason"),
        [required(_l("Write why they are not booked. It is kept with the rows.")), longest(300)],
    )


@bp.get("")
@needs(Permission.BOOK)
def one(file: int, position: int) -> str:
    return _page(_row(file, position))


@bp.post("/insist")
@needs(Permission.BOOK)
def insist(file: int, position: int) -> Any:
    row, form = _row(file, position), InsistForm()
    offer(form.listing, choices.listings())
    if not form.validate():
        return _page(row, insisting=form), 400
    listing = found(Listing, int(form.listing.data))
    try:
        assigning.insist(row, listing, form.reason.data.strip(), datetime.now(UTC), me())
    except LedgerError as error:
        db.session.rollback()
        form.refuse("reason", reasons.told(str(error)))
        return _page(_row(file, position), insisting=form), 400
    except Settled:
        return _settled()
    db.session.commit()
    flash(_("It is booked."))
    return _back()


@bp.post("/leave")
@needs(Permission.BOOK)
def leave(file: int, position: int) -> Any:
    row, form = _row(file, position), LeaveForm()
    if not form.validate():
        return _page(row, leaving=form), 400
    try:
        assigning.leave(row, form.why_left.data.strip(), datetime.now(UTC), me())
    except Settled:
        return _settled()
    db.session.commit()
    flash(_("It stays unbooked, with your reason."))
    return _back()


def _row(file: int, position: int) -> ImportRow:
    """Back to the queue where it waits no longer."""
    where = ImportRow.import_id == file, ImportRow.position == position
    row = db.session.scalar(select(ImportRow).where(*where))
    if row is None:
        abort(404)
    if db.session.scalar(select(ImportRow.position).where(*where, turned())) is None:
        abort(_settled())
    return row


def _settled() -> Response:
    db.session.rollback()
    flash(_("Somebody settled this meanwhile."))
    return _back()


def _back() -> Response:
    return redirect(url_for("staff.settle.index"))


def _page(
    row: ImportRow, insisting: InsistForm | None = None, leaving: LeaveForm | None = None
) -> str:
    if insisting is None:
        insisting = InsistForm(formdata=None, listing=str(row.listing_id or ""))
    offer(insisting.listing, choices.listings())
    return show(
        "staff/turned.html",
        _("Row %(number)s waits", number=row.number),
        (_("To settle"), url_for("staff.settle.index")),
        row=row,
        of=found(Import, row.import_id),
        insisting=insisting,
        leaving=leaving or LeaveForm(formdata=None),
    )
