"""Logging in and out. Guessing is slowed, and no answer tells whether an address is known."""

import logging
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import EmailField, HiddenField

from campaigns import accounts, throttles
from campaigns.db import db, reading
from campaigns.mail.address import Address, BadAddress
from campaigns.throttles import Pace
from campaigns.web import guards, language
from campaigns.web.staff import session
from campaigns.web.staff.forms import LANGUAGES, Form, longest, password, required
from campaigns.web.staff.page import site

bp = Blueprint("login", __name__)
log = logging.getLogger(__name__)

# A person who forgot tries a few times; an office of many shares one address of the network.
BY_ADDRESS = Pace(free=5, longest=timedelta(minutes=15))
BY_NETWORK = Pace(free=30, longest=timedelta(minutes=5))


class LoginForm(Form):
    email = EmailField(
        _l("Mail address"),
        validators=[required(_l("Write your mail address.")), longest(320)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = password(_l("Password"), _l("Write your password."), "current-password")
    next = HiddenField()


@bp.get("/login")
def ask() -> str | Response:
    if session.person():
        return redirect(url_for("staff.today.index"))
    return _page(LoginForm(next=session.own_path(request.args.get("next"))))


@bp.post("/login")
def enter() -> Any:
    form = LoginForm()
    if not form.validate():
        return _page(form), 400
    now = datetime.now(UTC)
    wait = _wait(form.email.data, now)
    db.session.commit()
    if wait:
        return _too_often(form, wait)
    with reading():
        staff = accounts.check(form.email.data, form.password.data)
        db.session.rollback()
    if staff is None:
        # The keyed hash lets an operator see whether it is one address again, and not which.
        log.warning("A login was refused (%s).", throttles.hashed(by_address(form.email.data))[:12])
        form.refuse("password", _("Address and password do not fit. Try again, or ask for a link."))
        return _page(form), 403
    throttles.forget(by_address(form.email.data))
    throttles.give_back(network())
    accounts.welcome(staff, form.password.data, now)
    db.session.commit()
    session.begin(staff)
    return redirect(session.own_path(form.next.data) or url_for("staff.today.index"))


@bp.post("/logout")
def leave() -> Response:
    session.end()
    return redirect(url_for("staff.login.ask"))


def plain(template: str, title: str, **values: Any) -> str:
    """A page for somebody who is not logged in, with the way to the other language."""
    here = language.current()
    tag, label = next((tag, label) for tag, label in LANGUAGES.items() if tag != here)
    url = url_for(request.endpoint or "", **(request.view_args or {}), lang=tag)
    return render_template(
        template,
        page={"title": title, "other": {"label": label, "url": url, "lang": tag}},
        site=site(),
        **values,
    )


def _page(form: LoginForm) -> str:
    return plain("staff/login.html", _("Log in"), form=form)


def _wait(email: str, now: datetime) -> timedelta:
    """How long this address, or this corner of the network, has to wait; zero counts as a try."""
    left = throttles.turn(network(), BY_NETWORK, now)
    return left or throttles.turn(by_address(email), BY_ADDRESS, now)


def _too_often(form: LoginForm, wait: timedelta) -> Response:
    seconds = int(wait.total_seconds()) + 1
    reason = ngettext(
        "Too many tries. Wait a second, then try again.",
        "Too many tries. Wait %(num)d seconds, then try again.",
        seconds,
    )
    form.refuse("password", reason)
    answer = make_response(_page(form), 429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def network() -> str:
    """The asker's address; of IPv6 the network, since one household has billions of addresses."""
    address = ip_address(guards.client_address() or "127.0.0.1")
    if address.version == 6:
        return f"login network {ip_network((address, 64), strict=False)}"
    return f"login network {address}"


def by_address(email: str) -> str:
    """The throttle's subject for an address, known or not; all its spellings count as one."""
    try:
        return f"login address {Address.parse(email)}"
    except BadAddress:
        return f"login address {email.strip().lower()}"
