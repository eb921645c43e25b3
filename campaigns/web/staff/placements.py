"""Rules for unnamed money, as persons made them in the queue: what there is, and forgetting one."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from campaigns import settling
from campaigns.db import db
from campaigns.model.placement import Placement
from campaigns.model.staff import Permission
from campaigns.web.staff import choices
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("placements", __name__, url_prefix="/settle/rules")


@bp.get("")
@needs(Permission.BOOK)
def index() -> str:
    return show(
        "staff/rules.html",
        _("Rules for unnamed money"),
        (_("To settle"), url_for("staff.settle.index")),
        rules=settling.rules(),
        names=choices.names(),
    )


@bp.post("/<int:id>/delete")
@needs(Permission.BOOK)
def forget(id: int) -> Response:
    settling.forget(found(Placement, id), datetime.now(UTC), me())
    db.session.commit()
    flash(_("The rule is gone. What it placed stays where it is."))
    return redirect(url_for("staff.placements.index"))
