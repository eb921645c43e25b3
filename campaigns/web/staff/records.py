"""The audit records: who changed what, when. They cannot be changed or deleted."""

from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.staff import Permission, Staff
from campaigns.web.staff import paging
from campaigns.web.staff.page import office_tabs, show
from campaigns.web.staff.session import needs

bp = Blueprint("records", __name__, url_prefix="/records")


@bp.get("")
@needs(Permission.ADMINISTER)
def index() -> str:
    table = paging.newest_first(select(AuditRecord), AuditRecord.id, {})
    return show(
        "staff/records.html",
        _("Who changed what"),
        tabs=office_tabs("records"),
        table=table,
        people={staff.id: staff.name or staff.email for staff in db.session.scalars(select(Staff))},
    )
