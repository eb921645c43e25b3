"""What every staff page shows around its matter: who one is, where one is, where one may go."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from campaigns.db import Base, db
from campaigns.model.organisation import Organisation
from campaigns.model.staff import Permission, Role, Staff
from campaigns.web import language
from campaigns.web.staff import waiting
from campaigns.web.staff.session import me
from config import settings

Row = TypeVar("Row", bound=Base)

ROLES = {
    Role.FUNDRAISER: _l("Fundraiser"),
    Role.EDITOR: _l("Editor"),
    Role.APPROVER: _l("Approver"),
    Role.TREASURER: _l("Treasurer"),
    Role.ADMINISTRATOR: _l("Administrator"),
}
PERMISSIONS = {
    Permission.LOOK: _l("See campaigns, updates and mailings"),
    Permission.EDIT_CAMPAIGNS: _l("Change campaigns and listings"),
    Permission.ENTER_REPORTS: _l("Enter figures by hand"),
    Permission.JUDGE_REPORTS: _l("Decide about held figures"),
    Permission.SEE_LEDGER: _l("See the ledger"),
    Permission.BOOK: _l("Book by hand"),
    Permission.ENTER_RATES: _l("Enter rates"),
    Permission.SEE_NOTICES: _l("See notices"),
    Permission.SEE_DONORS: _l("See who donors are"),
    Permission.WRITE: _l("Write updates"),
    Permission.APPROVE: _l("Approve and publish"),
    Permission.SEND: _l("Schedule and stop mailings"),
    Permission.MANAGE_WEBHOOKS: _l("Set up webhooks"),
    Permission.ADMINISTER: _l("Administer"),
}
_P = Permission
# endpoint, label, who sees it, the blueprints of which it is the entrance
NAV = (
    ("staff.today.index", _l("Today"), _P.LOOK, ("today", "timelines")),
    ("staff.campaigns.index", _l("Campaigns"), _P.LOOK,
     ("campaigns", "codes", "listings", "answers", "anywhere", "ways", "contract", "festivals",
      "figures", "figures_table")),
    ("staff.ledger.index", _l("Ledger"), _P.SEE_LEDGER,
     ("ledger", "days", "corrections", "byhand", "pasted", "matches", "rates", "rates_table",
      "imports", "review", "import_rows", "mappings",
      "settle", "placements", "unplaced", "reconciliation", "donors", "merges", "claims",
      "contacts", "erasures", "exports")),
    ("staff.updates.index", _l("Updates & mailings"), _P.LOOK,
     ("updates", "mailings", "letters", "recipients", "segments", "calendar", "returned")),
    ("staff.notices.index", _l("Platforms & webhooks"), _P.SEE_NOTICES,
     ("notices", "webhooks", "mailhooks")),
    ("staff.organisation.ask", _l("Organisation"), _P.ADMINISTER,
     ("organisation", "people", "transports", "records")),
    ("staff.health.index", _l("Health"), _P.ADMINISTER, ("health", "outbox")),
    ("staff.me.ask", _l("My settings"), _P.LOOK, ("me",)),
)  # fmt: skip


def show(template: str, title: str, /, *crumbs: tuple[str, str], **values: Any) -> str:
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


def found(kind: type[Row], id: int) -> Row:
    """The row of this id; 404 if there is none."""
    return db.session.get(kind, id) or abort(404)


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


def campaign_tabs(here: str) -> list[dict[str, Any]]:
    return _tabs(
        here,
        ("campaigns", "staff.campaigns.index", _("Campaigns"), _P.LOOK),
        ("figures", "staff.figures.index", _("Enter figures"), _P.ENTER_REPORTS),
        ("festivals", "staff.festivals.index", _("Giving festivals"), _P.LOOK),
    )


def ledger_tabs(here: str) -> list[dict[str, Any]]:
    return _tabs(
        here,
        ("ledger", "staff.ledger.index", _("Entries"), _P.SEE_LEDGER),
        ("imports", "staff.imports.index", _("Imports"), _P.SEE_LEDGER),
        ("byhand", "staff.byhand.index", _("By hand"), _P.BOOK),
        ("settle", "staff.settle.index", _("To settle"), _P.BOOK),
        ("reconciliation", "staff.reconciliation.index", _("Reconciliation"), _P.SEE_LEDGER),
        ("donors", "staff.donors.index", _("Donors"), _P.SEE_DONORS),
        ("rates", "staff.rates.index", _("Rates"), _P.ENTER_RATES),
    )


def webhook_tabs(here: str) -> list[dict[str, Any]]:
    return _tabs(
        here,
        ("notices", "staff.notices.index", _("Notices"), _P.SEE_NOTICES),
        ("webhooks", "staff.webhooks.index", _("Endpoints"), _P.MANAGE_WEBHOOKS),
        ("mailhooks", "staff.mailhooks.index", _("Mail providers"), _P.MANAGE_WEBHOOKS),
    )


def office_tabs(here: str) -> list[dict[str, Any]]:
    return _tabs(
        here,
        ("organisation", "staff.organisation.ask", _("Organisation"), _P.ADMINISTER),
        ("people", "staff.people.index", _("Staff"), _P.ADMINISTER),
        ("transports", "staff.transports.index", _("Mail servers"), _P.ADMINISTER),
        ("records", "staff.records.index", _("Who changed what"), _P.ADMINISTER),
    )


def _tabs(here: str, *tabs: tuple[str, str, str, Permission]) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": url_for(endpoint), "current": name == here}
        for name, endpoint, label, permission in tabs
        if me().may(permission)
    ]


def _nav(staff: Staff) -> list[dict[str, Any]]:
    here = (request.blueprint or "").rpartition(".")[2]
    counted = {"staff.today.index": waiting.counts().of(staff, datetime.now(UTC))}
    return [
        {
            "label": label,
            "url": url_for(endpoint),
            "current": here in blueprints,
            "count": counted.get(endpoint),
        }
        for endpoint, label, permission, blueprints in NAV
        if staff.may(permission)
    ]
