"""Rows of an import: each as it stands in the file, what it is to the ledger, and who gave."""

from flask import Blueprint, abort, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from campaigns import stored
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.model.entry import Entry
from campaigns.model.imported import Import, ImportGiver, ImportRow, RowVerdict
from campaigns.model.staff import Permission
from campaigns.platforms import bills
from campaigns.platforms.mapping import Mapping
from campaigns.web.staff import choices, masked
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("import_rows", __name__, url_prefix="/imports")

VERDICTS = {
    RowVerdict.NEW: _l("new"),
    RowVerdict.BOOKED: _l("already booked"),
    RowVerdict.DIFFERS: _l("differs"),
    RowVerdict.AMBIGUOUS: _l("ambiguous"),
    RowVerdict.NOT_A_DONATION: _l("not a donation"),
    RowVerdict.UNREADABLE: _l("unreadable"),
}


@bp.get("/<int:id>/rows/<int:position>")
@needs(Permission.SEE_LEDGER)
def one(id: int, position: int) -> str:
    this = found(Import, id)
    that = db.session.get(ImportRow, (id, position)) or abort(404)
    giver = db.session.get(ImportGiver, (id, position))
    became = select(Entry).where(
        Entry.import_id == id, Entry.import_row == position, Entry.reverses.is_(None)
    )
    return show(
        "staff/import_row.html",
        _("Row %(number)s", number=that.number),
        (_("Imports"), url_for("staff.imports.index")),
        (this.name, url_for("staff.review.one", id=id)),
        this=this,
        row=that,
        verdict=VERDICTS[that.verdict],
        giver=_shown(giver) if giver else None,
        entry=db.session.scalar(became),
        cells=_cells(this, that.number) if me().may(Permission.SEE_DONORS) else None,
        listing=choices.names().get(that.listing_id or 0),
    )


def givers(this: Import, rows: list[ImportRow]) -> dict[int, str | None]:
    """Names of who gave, by the row's position."""
    positions = [row.position for row in rows]
    found = db.session.scalars(
        select(ImportGiver).where(
            ImportGiver.import_id == this.id, ImportGiver.position.in_(positions)
        )
    )
    return {giver.position: _shown(giver)["name"] for giver in found}


def _shown(giver: ImportGiver) -> dict[str, str | None]:
    """Who gave: in full only for those who may see donors."""
    if me().may(Permission.SEE_DONORS):
        return {"name": giver.name, "address": giver.email, "message": giver.message}
    name, address = masked.name(giver.name), masked.address(giver.email)
    return {"name": name, "address": address, "message": None}


def _cells(this: Import, number: int) -> list[tuple[str, str]]:
    """The row as it stands in the file: each heading with its cell."""
    mapping = Mapping.from_json(this.mapping) if this.mapping else None
    try:
        with stored.opened(this.file_id) as file:
            opened = bills.open(
                file, this.profile, charset=this.charset, mapping=mapping, member=this.member
            )
            cells = opened.row(number)
            return [
                (heading, cell.strip())
                for heading, cell in zip(opened.header, cells, strict=False)
                if heading or cell.strip()
            ]
    except (BadFile, LookupError):
        return []
