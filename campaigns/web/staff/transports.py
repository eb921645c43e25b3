"""Mail servers: relays that letters go by, with order, shares and limits; and domains' limits."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField

from campaigns import transports, ways
from campaigns.db import db
from campaigns.model.staff import Permission
from campaigns.model.transport import PERIODS, MailDomain, MailTransport
from campaigns.web.staff.forms import CountField, Form, longest, optional, required
from campaigns.web.staff.page import found, office_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("transports", __name__, url_prefix="/organisation/mail")

SHORT = {"inputmode": "numeric", "class": "short"}
PLACE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
REFUSALS: dict[type[Exception], str] = {
    transports.BadName: "name",
    transports.BadPlace: "place",
    transports.BadNumber: "rank",
}


def _limits() -> tuple[CountField, ...]:
    """Fields stand on a page in the order they are made, so each form makes its own, last."""
    labels = (
        _l("At most a second"),
        _l("At most a minute"),
        _l("At most an hour"),
        _l("At most a day"),
    )
    return tuple(CountField(label, [optional()], render_kw=SHORT) for label in labels)


class LimitsForm(Form):
    def limits(self) -> dict[str, int | None]:
        return {period: self[f"per_{period}"].data for period in PERIODS}


class TransportForm(LimitsForm):
    name = StringField(
        _l("What it is called"),
        [required(_l("Write a short name, such as Main relay.")), longest(63)],
    )
    place = StringField(
        _l("Address of the relay"),
        [longest(1000)],
        description=_l(
            "Such as smtp+starttls://user:password@mail.example.org. It is kept encrypted and not "
            "shown again; to keep the one there is, leave it empty."
        ),
        render_kw=PLACE,
    )
    rank = CountField(
        _l("Order"),
        [required(_l("Write a number, such as 1."))],
        description=_l("Letters go by 1 first; by 2 when no 1 works or has room."),
        render_kw=SHORT,
    )
    share = CountField(
        _l("Share"),
        [required(_l("Write a number, such as 1."))],
        description=_l("Among those of the same order: one with 3 gets three times as many as 1."),
        render_kw=SHORT,
    )
    per_second, per_minute, per_hour, per_day = _limits()
    paused = BooleanField(_l("Paused: no letters go by it"))

    def plan(self) -> transports.Plan:
        return transports.Plan(
            self.name.data,
            (self.place.data or "").strip() or None,
            self.rank.data or 0,
            self.share.data or 0,
            self.paused.data,
            self.limits(),
        )


class DomainForm(LimitsForm):
    domain = StringField(
        _l("Domain"), [required(_l("Write a domain such as qq.com.")), longest(255)],
        description=_l("What stands behind the @. Without numbers it has no limits any more."),
    )  # fmt: skip
    per_second, per_minute, per_hour, per_day = _limits()


@bp.get("")
@needs(Permission.ADMINISTER)
def index() -> str:
    return _page(TransportForm(formdata=None, rank=1, share=1))


@bp.post("")
@needs(Permission.ADMINISTER)
def add() -> Any:
    form = TransportForm()
    if form.validate():
        with form.refusing(REFUSALS):
            transports.add(form.plan(), datetime.now(UTC), me())
    if form.errors:
        return _page(form), 400
    return _kept(_("Letters go by it from now on."))


@bp.get("/<int:id>")
@needs(Permission.ADMINISTER)
def ask(id: int) -> str:
    row = found(MailTransport, id)
    return _one(row, TransportForm(formdata=None, obj=row))


@bp.post("/<int:id>")
@needs(Permission.ADMINISTER)
def change(id: int) -> Any:
    row, form = found(MailTransport, id), TransportForm()
    if form.validate():
        with form.refusing(REFUSALS):
            transports.change(row, form.plan(), datetime.now(UTC), me())
    if form.errors:
        return _one(row, form), 400
    return _kept(_("This is kept."))


@bp.post("/<int:id>/remove")
@needs(Permission.ADMINISTER)
def remove(id: int) -> Any:
    transports.remove(found(MailTransport, id), datetime.now(UTC), me())
    return _kept(_("No more letters go by it."))


@bp.get("/domains")
@needs(Permission.ADMINISTER)
def ask_limit() -> str:
    """The form for a domain; `name` fills it in as that one stands."""
    row = db.session.get(MailDomain, request.args.get("name", ""))
    return _domain(DomainForm(formdata=None, obj=row, domain=row and row.name))


@bp.post("/domains")
@needs(Permission.ADMINISTER)
def limit() -> Any:
    form = DomainForm()
    if form.validate():
        with form.refusing({transports.BadDomain: "domain", transports.BadNumber: "domain"}):
            transports.limit(form.domain.data, form.limits(), datetime.now(UTC), me())
    if form.errors:
        return _domain(form), 400
    return _kept(_("This is kept."))


def _kept(sentence: str) -> Response:
    db.session.commit()
    flash(sentence)
    return redirect(url_for("staff.transports.index"))


def _page(form: TransportForm) -> str:
    return show(
        "staff/transports.html",
        _("Mail servers"),
        tabs=office_tabs("transports"),
        form=form,
        transports=transports.seen(datetime.now(UTC)),
        seed=ways.seed().name,
        domains=transports.domains(),
        said=_said,
    )


def _one(row: MailTransport, form: TransportForm) -> str:
    crumbs = (_("Mail servers"), url_for("staff.transports.index"))
    return show("staff/transport.html", row.name, crumbs, form=form, row=row)


def _domain(form: DomainForm) -> str:
    crumbs = (_("Mail servers"), url_for("staff.transports.index"))
    return show("staff/mail_domain.html", _("Limit a domain"), crumbs, form=form)


def _said(limits: dict[str, int]) -> list[str]:
    """The limits there are, in words."""
    words: dict[str, Callable[[int], str]] = {
        "second": lambda n: _("%(n)s a second", n=n),
        "minute": lambda n: _("%(n)s a minute", n=n),
        "hour": lambda n: _("%(n)s an hour", n=n),
        "day": lambda n: _("%(n)s a day", n=n),
    }
    return [words[period](most) for period, most in limits.items()]
