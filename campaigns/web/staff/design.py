"""The pieces that pages are made of, each in all its states, for those who make pages."""

from datetime import UTC, datetime

from flask import Blueprint
from flask_babel import gettext as _

from campaigns.model.staff import Permission
from campaigns.web.staff import samples
from campaigns.web.staff.page import show
from campaigns.web.staff.session import needs

bp = Blueprint("design", __name__, url_prefix="/design")


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    return show("staff/design.html", _("Design"), sample=samples.of(datetime.now(UTC)))
