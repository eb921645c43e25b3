"""What the system drafted: what for, and the word of a person that it is not needed."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from campaigns import drafting, duties, figures
from campaigns.db import db
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web.staff.page import found
from campaigns.web.staff.session import me, needs

bp = Blueprint("drafted", __name__, url_prefix="/updates")


@bp.post("/<int:id>/set-aside")
@needs(Permission.WRITE)
def set_aside(id: int) -> Response:
    drafted = duties.behind(found(Update, id)) or abort(404)
    drafting.set_aside(drafted, me(), datetime.now(UTC))
    db.session.commit()
    flash(_("It is set aside. You can still write on and send it."))
    return redirect(url_for("staff.updates.one", id=id))


def shown(update: Update, now: datetime) -> dict[str, Any]:
    """What an update's page says of it: `drafted`, when it is `due`, and whether it `waits`."""
    drafted = duties.behind(update)
    if drafted is None:
        return {"drafted": None}
    owed = [one for one in duties.owed(figures.zone(), now) if one.drafted is drafted]
    waits = db.session.scalar(select(duties.waits()).where(Update.id == update.id))
    return {"drafted": drafted, "due": owed[0].due if owed else None, "waits": waits}
