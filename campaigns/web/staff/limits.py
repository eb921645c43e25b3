"""A host's limits: how many questions it gets at once and in a minute."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from campaigns import limits
from campaigns.db import db
from campaigns.model.host import Host
from campaigns.model.staff import Permission
from campaigns.web.staff.forms import CountField, Form, required
from campaigns.web.staff.page import show
from campaigns.web.staff.session import me, needs

bp = Blueprint("limits", __name__, url_prefix="/health/hosts")

SHORT = {"inputmode": "numeric", "class": "short"}
REFUSALS: dict[type[Exception], str] = {
    limits.BadAtOnce: "at_once",
    limits.BadAMinute: "a_minute",
}


class LimitsForm(Form):
    at_once = CountField(
        _l("Questions at once"), [required(_l("Write a number, such as 8."))], render_kw=SHORT
    )
    a_minute = CountField(
        _l("Questions a minute"),
        [required(_l("Write a number, such as 240."))],
        description=_l("Of all workers together. What is due waits for its turn."),
        render_kw=SHORT,
    )


@bp.get("/<name>")
@needs(Permission.ADMINISTER)
def ask(name: str) -> str:
    host = _host(name)
    return _page(host, LimitsForm(formdata=None, at_once=host.at_once, a_minute=host.a_minute))


@bp.post("/<name>")
@needs(Permission.ADMINISTER)
def change(name: str) -> Any:
    host, form = _host(name), LimitsForm()
    if form.validate():
        with form.refusing(REFUSALS):
            at_once, a_minute = form.at_once.data or 0, form.a_minute.data or 0
            limits.change(host, at_once, a_minute, datetime.now(UTC), me())
    if form.errors:
        return _page(host, form), 400
    db.session.commit()
    flash(_("This is kept."))
    return redirect(url_for("staff.health.index"))


def _host(name: str) -> Host:
    return db.session.get(Host, name) or abort(404)


def _page(host: Host, form: LimitsForm) -> str:
    return show(
        "staff/limits.html",
        host.name,
        (_("Health"), url_for("staff.health.index")),
        host=host,
        form=form,
    )
