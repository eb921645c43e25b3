"""Notices: what webhooks posted, exactly as it arrived, and what became of it."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response

from campaigns import intake
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Permission
from campaigns.web.staff import masked, paging
from campaigns.web.staff.page import found, show, webhook_tabs
from campaigns.web.staff.session import me, needs

bp = Blueprint("notices", __name__, url_prefix="/notices")

VERDICTS = {
    Verdict.WAITING: _l("waiting to be booked"),
    Verdict.BOOKED: _l("booked"),
    Verdict.NOTHING: _l("tells of no money"),
    Verdict.UNMATCHED: _l("names no listing we know"),
    Verdict.NOT_UNDERSTOOD: _l("of a kind we do not know"),
    Verdict.CONFLICT: _l("came again with other words"),
    Verdict.RETURNED: _l("came again after a reversal"),
    Verdict.FAILED: _l("could not be booked"),
}
LOOKS = {
    Verdict.BOOKED: ("good", "✓"),
    Verdict.NOTHING: ("", "○"),
    Verdict.WAITING: ("", "◷"),
}


@bp.get("")
@needs(Permission.SEE_NOTICES)
def index() -> str:
    verdict = request.args.get("verdict", "")
    query = select(Notice)
    if verdict in list(Verdict):
        query = query.where(Notice.verdict == Verdict(verdict))
    return show(
        "staff/notices.html",
        _("Notices"),
        tabs=webhook_tabs("notices"),
        table=paging.newest_first(query, Notice.id, {"verdict": verdict}),
        verdict=verdict,
        verdicts=VERDICTS,
        looks=LOOKS,
        endpoints=_endpoints(),
    )


@bp.get("/<int:id>")
@needs(Permission.SEE_NOTICES)
def one(id: int) -> str:
    notice = found(Notice, id)
    in_full = me().may(Permission.SEE_DONORS)
    entries = db.session.scalars(select(Entry).where(Entry.notice_id == notice.id))
    return show(
        "staff/notice.html",
        _("Notice %(number)s", number=notice.id),
        (_("Notices"), url_for("staff.notices.index")),
        notice=notice,
        endpoint=found(WebhookEndpoint, notice.endpoint_id),
        body=masked.body(notice.body.content, in_full=in_full) if notice.body else None,
        verdicts=VERDICTS,
        looks=LOOKS,
        entries=list(entries) if me().may(Permission.SEE_LEDGER) else [],
    )


@bp.post("/<int:id>/again")
@needs(Permission.BOOK)
def book_again(id: int) -> Response:
    """Have a notice booked that could not be, because of something that was mended since."""
    if intake.wait_again(found(Notice, id), datetime.now(UTC), me()):
        flash(_("It is booked within seconds, if it can be."))
    else:
        flash(_("This notice is not one that booking again would help."))
    db.session.commit()
    return redirect(url_for("staff.notices.one", id=id))


def _endpoints() -> dict[int, str]:
    rows = db.session.execute(select(WebhookEndpoint.id, WebhookEndpoint.name))
    return {id: name for id, name in rows}  # noqa: C416 - a row is not a pair to mypy
