"""Giving festivals: days in which every platform is asked more often."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import festivals
from campaigns.db import db
from campaigns.festivals import Plan
from campaigns.model.festival import Festival
from campaigns.model.staff import Permission
from campaigns.web.staff.forms import (
    Form,
    LocalMomentField,
    MinutesField,
    line,
    longest,
    read_moment,
    required,
)
from campaigns.web.staff.page import campaign_tabs, found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("festivals", __name__, url_prefix="/festivals")

REFUSALS: dict[type[Exception], str] = {
    festivals.NoName: "name",
    festivals.SpanReversed: "ends",
    festivals.Past: "ends",
    festivals.BadPeriod: "period",
}


class FestivalForm(Form):
    name = StringField(
        _l("What it is called"),
        [required(_l("Write a name, such as 99 Giving Day.")), longest(200)],
    )
    starts = LocalMomentField(_l("Begins"), validators=[required(_l("Write when it begins."))])
    ends = LocalMomentField(_l("Ends"), validators=[required(_l("Write when it ends."))])
    period = MinutesField(
        _l("Minutes between two questions"),
        [required(_l("Write the minutes, such as 2."))],
        description=_l("Listings that are asked more often anyway stay as they are."),
    )

    def plan(self) -> Plan | None:
        """What was typed; None, with reasons, where a moment cannot be."""
        starts = read_moment(self, "starts", me().timezone)
        ends = read_moment(self, "ends", me().timezone)
        if starts is None or ends is None:
            return None
        return Plan(line(self.name) or "", starts, ends, self.period.data or 0)


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    return _list(FestivalForm(formdata=None, period=120))


@bp.post("")
@needs(Permission.EDIT_CAMPAIGNS)
def create() -> Any:
    form = FestivalForm()
    plan = form.plan() if form.validate() else None
    if plan is not None:
        with form.refusing(REFUSALS):
            festivals.create(plan, datetime.now(UTC), me())
    if form.errors:
        return _list(form), 400
    db.session.commit()
    flash(_("The festival is kept. Platforms are asked by it while it lasts."))
    return _back()


@bp.get("/<int:id>")
@needs(Permission.EDIT_CAMPAIGNS)
def ask(id: int) -> str:
    festival, zone = found(Festival, id), ZoneInfo(me().timezone)
    form = FestivalForm(
        formdata=None,
        name=festival.name,
        starts=festival.starts_at.astimezone(zone).replace(tzinfo=None),
        ends=festival.ends_at.astimezone(zone).replace(tzinfo=None),
        period=festival.period_seconds,
    )
    return _one(festival, form)


@bp.post("/<int:id>")
@needs(Permission.EDIT_CAMPAIGNS)
def change(id: int) -> Any:
    festival, form = found(Festival, id), FestivalForm()
    plan = form.plan() if form.validate() else None
    if plan is not None:
        with form.refusing(REFUSALS):
            festivals.change(festival, plan, datetime.now(UTC), me())
    if form.errors:
        return _one(festival, form), 400
    db.session.commit()
    flash(_("The festival is kept. Platforms are asked by it while it lasts."))
    return _back()


@bp.post("/<int:id>/delete")
@needs(Permission.EDIT_CAMPAIGNS)
def delete(id: int) -> Any:
    festivals.delete(found(Festival, id), datetime.now(UTC), me())
    db.session.commit()
    flash(_("The festival is deleted. Each listing is asked by its own period."))
    return _back()


def _list(form: FestivalForm) -> str:
    return show(
        "staff/festivals.html",
        _("Giving festivals"),
        tabs=campaign_tabs("festivals"),
        form=form,
        festivals=festivals.all_of_them(),
        now=datetime.now(UTC),
    )


def _one(festival: Festival, form: FestivalForm) -> str:
    return show(
        "staff/festival.html",
        festival.name,
        (_("Giving festivals"), url_for("staff.festivals.index")),
        festival=festival,
        form=form,
    )


def _back() -> Response:
    return redirect(url_for("staff.festivals.index"))
