"""A new password by letter. Whoever asks learns nothing about who is a member of staff."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import EmailField

from campaigns import accounts, throttles
from campaigns.accounts import WeakPassword
from campaigns.db import db
from campaigns.model.staff import Staff
from campaigns.web.staff.forms import Form, longest, password, required
from campaigns.web.staff.login import by_address, network, plain

bp = Blueprint("reset", __name__, url_prefix="/reset")
PER_HOUR = timedelta(hours=1)
LETTERS = 3
ASKERS = 20


class ForgottenForm(Form):
    email = EmailField(
        _l("Mail address"),
        validators=[required(_l("Write your mail address.")), longest(320)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )


class NewPasswordForm(Form):
    new = password(_l("New password"), _l("Write a new password."), "new-password")


@bp.get("")
def forgotten() -> str:
    return _forgotten(ForgottenForm())


@bp.post("")
def send() -> Any:
    form = ForgottenForm()
    if not form.validate():
        return _forgotten(form), 400
    now = datetime.now(UTC)
    if _may_ask(form.email.data, now):
        accounts.ask_reset(form.email.data, now)
    db.session.commit()
    return plain("staff/reset_sent.html", _("A letter, if we know you"))


@bp.get("/<token>")
def ask(token: str) -> str:
    _behind(token)
    return _new(NewPasswordForm(), token)


@bp.post("/<token>")
def change(token: str) -> str | tuple[str, int] | Response:
    staff = _behind(token)
    form = NewPasswordForm()
    if not form.validate():
        return _new(form, token), 400
    try:
        accounts.reset(staff, form.new.data, datetime.now(UTC))
    except WeakPassword as error:
        form.refuse("new", _(str(error)))
        return _new(form, token), 400
    throttles.forget(by_address(staff.email))
    db.session.commit()
    flash(_("Your password is set. Log in with it."))
    return redirect(url_for("staff.login.ask"))


def _behind(token: str) -> Staff:
    staff = accounts.behind_reset(token, datetime.now(UTC))
    return staff or abort(404, _("This link was used or is older than an hour. Ask for another."))


def _may_ask(email: str, now: datetime) -> bool:
    """Counted for known and unknown addresses alike."""
    asker = throttles.allow(f"reset {network()}", ASKERS, PER_HOUR, now)
    return throttles.allow(f"reset {by_address(email)}", LETTERS, PER_HOUR, now) and asker


def _forgotten(form: ForgottenForm) -> str:
    return plain("staff/forgotten.html", _("A new password"), form=form)


def _new(form: NewPasswordForm, token: str) -> str:
    return plain("staff/reset.html", _("A new password"), form=form, token=token)
