"""What every staff page shows around its matter: who one is, where one is, where one may go."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Permission, Role, Staff
from campaigns.web import language
from campaigns.web.staff.session import me
from config import settings

ROLES = {
    Role.FUNDRAISER: _l("Fundraiser"),
    Role.EDITOR: _l("Editor"),
    Role.APPROVER: _l("Approver"),
    Role.TREASURER: _l("Treasurer"),
    Role.ADMINISTRATOR: _l("Administrator"),
}
# endpoint, label, who sees it, the blueprints of which it is the entrance
NAV = (("staff.me.ask", _l("My settings"), Permission.LOOK, ("me",)),)


def show(template: str, title: str, *crumbs: tuple[str, str], **values: Any) -> str:
    """Render a page for the person at the desk; each crumb is (label, address)."""
    staff = me()
    return render_template(
        template,
        page={"title": title},
        crumbs=[{"label": label, "url": url} for label, url in crumbs],
        site=site(),
        nav=_nav(staff),
        person={"name": staff.name or staff.email, "role": roles(staff)},
        may=lambda name: staff.may(Permission[name]),
        logout_url=url_for("staff.login.leave"),
        **values,
    )


def site() -> dict[str, Any]:
    """The organisation as base templates want it; from the settings until its row is there."""
    ours = db.session.scalar(select(Organisation).where(Organisation.ours))
    name = ours.text(language.current()).name if ours else settings().organisation_name
    return {
        "name": name,
        "home": "/",
        "contact": ours.contact if ours else None,
        "demo": bool(ours and ours.demo),
    }


def roles(staff: Staff) -> str:
    """A person's roles in words."""
    return " · ".join(str(ROLES[held.role]) for held in sorted(staff.roles, key=lambda h: h.role))


def _nav(staff: Staff) -> list[dict[str, Any]]:
    here = (request.blueprint or "").rpartition(".")[2]
    return [
        {"label": label, "url": url_for(endpoint), "current": here in blueprints, "count": None}
        for endpoint, label, permission, blueprints in NAV
        if staff.may(permission)
    ]
