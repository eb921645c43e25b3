"""One's own account: name, language, zone, password."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from campaigns import accounts
from campaigns.accounts import WeakPassword
from campaigns.db import db
from campaigns.model.staff import Permission
from campaigns.web.staff import session
from campaigns.web.staff.forms import LANGUAGES, Form, longest, password, select_field
from campaigns.web.staff.page import show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.zones import zone_field

bp = Blueprint("me", __name__, url_prefix="/me")


class OwnForm(Form):
    name = StringField(
        _l("Name"), [longest(200)], description=_l("Colleagues see it beside what you did.")
    )
    locale = select_field(_l("Language"), LANGUAGES)
    timezone = zone_field(_l("Time zone"))


class PasswordForm(Form):
    current = password(_l("Current password"), _l("Write your password."), "current-password")
    new = password(_l("New password"), _l("Write a new password."), "new-password")


@bp.get("")
@needs(Permission.LOOK)
def ask() -> str:
    return _page(OwnForm(obj=me()), PasswordForm())


@bp.post("")
@needs(Permission.LOOK)
def change() -> Any:
    form = OwnForm()
    if not form.validate():
        return _page(form, PasswordForm()), 400
    now = datetime.now(UTC)
    accounts.change_own(me(), form.name.data or "", form.locale.data, form.timezone.data, now)
    db.session.commit()
    session.speak()
    flash(_("Your settings are kept."))
    return redirect(url_for("staff.me.ask"))


@bp.post("/password")
@needs(Permission.LOOK)
def change_password() -> Any:
    form = PasswordForm()
    if not form.validate() or not _changed(form):
        return _page(OwnForm(formdata=None, obj=me()), form), 400
    db.session.commit()
    session.begin(me())
    flash(_("Your password is changed. Everywhere else you are logged out."))
    return redirect(url_for("staff.me.ask"))


def _changed(form: PasswordForm) -> bool:
    if accounts.check(me().email, form.current.data) is None:
        form.refuse("current", _("This is not your current password."))
        return False
    try:
        accounts.set_password(me(), form.new.data, datetime.now(UTC), by=me())
    except WeakPassword as error:
        form.refuse("new", _(str(error)))
        return False
    return True


def _page(own: OwnForm, change: PasswordForm) -> str:
    return show("staff/me.html", _("My settings"), own=own, change=change)
