"""A database that was set back: what stands still, and the word of a person that it was seen."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from campaigns import timelines
from campaigns.db import db
from campaigns.model.staff import Permission
from campaigns.model.timeline import Timeline
from campaigns.web.staff.forms import Form
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("timelines", __name__, url_prefix="/timelines")


@bp.get("/<int:id>")
@needs(Permission.SEND)
def one(id: int) -> str:
    timeline = found(Timeline, id)
    return show("staff/timeline.html", _("The data were set back"), timeline=timeline, form=Form())


@bp.post("/<int:id>")
@needs(Permission.SEND)
def confirm(id: int) -> Response:
    timelines.confirm(found(Timeline, id), me(), datetime.now(UTC))
    db.session.commit()
    flash(_("Kept. Mailings go on one by one, as you resume them."))
    return redirect(url_for("staff.today.index"))
