"""Health: whether every part works, and what to do about one that does not."""

from datetime import UTC, datetime

from flask import Blueprint
from flask_babel import gettext as _

from campaigns import doctor, due, limits, readiness
from campaigns.model.staff import Permission
from campaigns.web.staff.page import show
from campaigns.web.staff.session import needs
from config import settings

bp = Blueprint("health", __name__, url_prefix="/health")


@bp.get("")
@needs(Permission.ADMINISTER)
def index() -> str:
    now = datetime.now(UTC)
    return show(
        "staff/health.html",
        _("Health"),
        parts=readiness.of(now),
        due=due.oldest(now),
        hosts=limits.seen(now),
        findings=list(doctor.examine(now)),
        outbox=settings().smtp_url is None,
    )
