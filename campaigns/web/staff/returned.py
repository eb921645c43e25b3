"""What came back: bounces, complaints and the like, letter by letter, and what is of no letter."""

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns.db import db
from campaigns.mail.status import Meaning
from campaigns.model.returned import Return, Stray
from campaigns.model.staff import Permission
from campaigns.web.staff import paging, sendings
from campaigns.web.staff.page import show
from campaigns.web.staff.session import needs

bp = Blueprint("returned", __name__, url_prefix="/mailings/returned")


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    meaning = request.args.get("meaning", "")
    query = select(Return)
    if meaning in list(Meaning):
        query = query.where(Return.meaning == Meaning(meaning))
    table = paging.newest_first(query, Return.id, {"meaning": meaning})
    return show(
        "staff/returned.html",
        _("What came back"),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        table=table,
        meaning=meaning,
        meanings=list(Meaning),
        subjects=sendings.subjects(row.delivery for row in table.rows),
        address=sendings.address,
        strays=db.session.scalars(select(Stray).order_by(Stray.door, Stray.reason)).all(),
    )
