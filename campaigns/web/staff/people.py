"""Members of staff: adding one, and changing what a colleague may do. For administrators."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import BooleanField, EmailField, Field, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from campaigns import accounts
from campaigns.db import db
from campaigns.mail.address import BadAddress
from campaigns.model.staff import MAY, Permission, Role, Staff
from campaigns.web.staff.forms import Form, MultiCheckboxField, longest, required
from campaigns.web.staff.page import PERMISSIONS, ROLES, found, office_tabs, roles, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("people", __name__, url_prefix="/people")


# Fields stand on the page in the order they are made, and this one comes first.
_EMAIL = EmailField(_l("Mail address"), [required(_l("Write their mail address.")), longest(320)])


class RolesForm(Form):
    name = StringField(_l("Name"), [longest(200)])
    roles = MultiCheckboxField(
        _l("Roles"),
        choices=[SelectChoice(value=role.value, label=label) for role, label in ROLES.items()],
        validate_choice=False,
    )

    def validate_roles(self, field: Field) -> None:
        if not field.data or not set(field.data) <= {role.value for role in Role}:
            raise ValidationError(_("Choose at least one role."))

    def chosen(self) -> list[Role]:
        return [Role(name) for name in self.roles.data]


class NewForm(RolesForm):
    email = _EMAIL


class ColleagueForm(RolesForm):
    active = BooleanField(_l("May log in"))


@bp.get("")
@needs(Permission.ADMINISTER)
def index() -> str:
    return _page(NewForm())


@bp.post("")
@needs(Permission.ADMINISTER)
def add() -> Any:
    form, now = NewForm(), datetime.now(UTC)
    if form.validate():
        with form.refusing({accounts.AddressTaken: "email", BadAddress: "email"}):
            staff = accounts.add(
                form.email.data, form.chosen(), now, name=form.name.data or "", by=me()
            )
            accounts.ask_reset(staff.email, now)
    if form.errors:
        return _page(form), 400
    db.session.commit()
    flash(_("Added. A letter with a link to set a password is on its way."))
    return redirect(url_for("staff.people.index"))


@bp.get("/<int:id>")
@needs(Permission.ADMINISTER)
def ask(id: int) -> str:
    staff = found(Staff, id)
    held = [one.role.value for one in staff.roles]
    return _one(staff, ColleagueForm(name=staff.name, active=staff.active, roles=held))


@bp.post("/<int:id>")
@needs(Permission.ADMINISTER)
def change(id: int) -> Any:
    staff, form, now = found(Staff, id), ColleagueForm(), datetime.now(UTC)
    if form.validate():
        with form.refusing({accounts.LastAdministrator: "roles"}):
            accounts.change(
                staff, form.chosen(), form.active.data, form.name.data or "", now, by=me()
            )
    if form.errors:
        return _one(staff, form), 400
    db.session.commit()
    flash(_("This is kept."))
    return redirect(url_for("staff.people.index"))


@bp.post("/<int:id>/letter")
@needs(Permission.ADMINISTER)
def send_link(id: int) -> Any:
    accounts.ask_reset(found(Staff, id).email, datetime.now(UTC))
    db.session.commit()
    flash(_("A letter with a link to set a password is on its way."))
    return redirect(url_for("staff.people.ask", id=id))


def _page(form: NewForm) -> str:
    return show(
        "staff/people.html",
        _("Staff"),
        tabs=office_tabs("people"),
        form=form,
        people=list(db.session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.id))),
        roles=roles,
        table=[(label, [p in MAY[role] for role in ROLES]) for p, label in PERMISSIONS.items()],
        columns=[str(label) for label in ROLES.values()],
    )


def _one(staff: Staff, form: ColleagueForm) -> str:
    crumbs = (_("Staff"), url_for("staff.people.index"))
    return show("staff/colleague.html", staff.name or staff.email, crumbs, form=form, staff=staff)
