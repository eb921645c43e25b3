"""Notices: what webhooks posted, exactly as it arrived, and what became of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from werkzeug.wrappers import Response

from campaigns import notices, told
from campaigns.crypto import Undecryptable
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.notice import Notice, Verdict
from campaigns.model.staff import Permission
from campaigns.platforms.base import NoticeError
from campaigns.web.staff import masked, paging
from campaigns.web.staff.page import found, show, webhook_tabs
from campaigns.web.staff.session import me, needs

bp = Blueprint("notices", __name__, url_prefix="/notices")

# So many that failed are given to the worker at once.
BATCH = 500
MOST_OTHERS = 50
VERDICTS = {
    Verdict.WAITING: _l("waiting to be booked"),
    Verdict.BOOKED: _l("booked"),
    Verdict.NOTHING: _l("tells of no money"),
    Verdict.UNMATCHED: _l("names no listing we know"),
    Verdict.NOT_UNDERSTOOD: _l("of a kind we do not know"),
    Verdict.CONFLICT: _l("came again with other words"),
    Verdict.RETURNED: _l("came again after a reversal"),
    Verdict.FAILED: _l("could not be booked"),
    Verdict.LEFT: _l("left unbooked by a person"),
}
LOOKS = {
    Verdict.BOOKED: ("good", "✓"),
    Verdict.NOTHING: ("", "○"),
    Verdict.WAITING: ("", "◷"),
    Verdict.LEFT: ("", "–"),
}


@bp.get("")
@needs(Permission.SEE_NOTICES)
def index() -> str:
    chosen = _filters(request.args)
    return show(
        "staff/notices.html",
        _("Notices"),
        tabs=webhook_tabs("notices"),
        table=paging.newest_first(_query(chosen), Notice.id, chosen),
        chosen=chosen,
        failed=_failed(chosen),
        verdicts=VERDICTS,
        looks=LOOKS,
        endpoints=_endpoints(),
    )


@bp.get("/<int:id>")
@needs(Permission.SEE_NOTICES)
def one(id: int) -> str:
    notice = found(Notice, id)
    entries = db.session.scalars(select(Entry).where(Entry.notice_id == notice.id))
    others = select(Notice.id).where(Notice.contradicts == notice.id).order_by(Notice.id)
    return show(
        "staff/notice.html",
        _("Notice %(number)s", number=notice.id),
        (_("Notices"), url_for("staff.notices.index")),
        notice=notice,
        others=list(db.session.scalars(others.limit(MOST_OTHERS))),
        endpoint=found(WebhookEndpoint, notice.endpoint_id),
        body=_body(notice),
        verdicts=VERDICTS,
        looks=LOOKS,
        entries=list(entries) if me().may(Permission.SEE_LEDGER) else [],
    )


@bp.post("/<int:id>/again")
@needs(Permission.BOOK)
def book_again(id: int) -> Response:
    """Have a notice booked that could not be, because of something that was mended since."""
    if notices.wait_again(found(Notice, id), datetime.now(UTC), me()):
        flash(_("It is booked within seconds, if it can be."))
    else:
        flash(_("This notice is not one that booking again would help."))
    db.session.commit()
    return redirect(url_for("staff.notices.one", id=id))


@bp.post("/again")
@needs(Permission.BOOK)
def book_all_again() -> Response:
    """Have those booked that failed, of those the filters chose; so many of the oldest."""
    chosen = _filters(request.form)
    query = _query({**chosen, "verdict": Verdict.FAILED}).order_by(Notice.id).limit(BATCH)
    now = datetime.now(UTC)
    number = sum(notices.wait_again(one, now, me()) for one in db.session.scalars(query))
    db.session.commit()
    flash(
        ngettext(
            "%(num)d notice is booked within seconds, if it can be.",
            "%(num)d notices are booked one after another, if they can be.",
            number,
        )
    )
    kept: dict[str, Any] = {**chosen}
    return redirect(url_for("staff.notices.index", **kept))


def _filters(asked: Mapping[str, str]) -> dict[str, str]:
    """What was chosen; anything that is no choice counts as none."""
    verdict, endpoint = asked.get("verdict", ""), asked.get("via", "")
    return {
        "via": endpoint if endpoint in map(str, _endpoints()) else "",
        "verdict": verdict if verdict in list(Verdict) else "",
        "day": asked.get("day", "") if _day(asked.get("day", "")) else "",
    }


def _query(chosen: Mapping[str, str]) -> Select[Notice]:
    query = select(Notice)
    if chosen["via"]:
        query = query.where(Notice.endpoint_id == int(chosen["via"]))
    if chosen["verdict"]:
        query = query.where(Notice.verdict == Verdict(chosen["verdict"]))
    if day := _day(chosen["day"]):
        begins = datetime.combine(day, time(), get_timezone() or UTC)
        ends = datetime.combine(day + timedelta(days=1), time(), get_timezone() or UTC)
        query = query.where(Notice.received_at >= begins, Notice.received_at < ends)
    return query


def _day(text: str) -> date | None:
    """A day of the reader's zone, not at the ends of the calendar."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None


def _failed(chosen: Mapping[str, str]) -> int:
    """How many of those chosen failed; counted up to what is booked again at once."""
    if chosen["verdict"] not in ("", Verdict.FAILED) or not me().may(Permission.BOOK):
        return 0
    some = _query({**chosen, "verdict": Verdict.FAILED}).limit(BATCH).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _body(notice: Notice) -> str | None:
    """As it can be read: decoded, decrypted, people hidden from those who may not see them."""
    if notice.body is None:
        return None
    in_full = me().may(Permission.SEE_DONORS)
    try:
        return masked.told(told.in_the_clear(notice), in_full=in_full)
    except (NoticeError, Undecryptable):
        return masked.raw(notice.body.content, in_full=in_full)


def _endpoints() -> dict[int, str]:
    rows = db.session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.name).order_by(WebhookEndpoint.name)
    )
    return {id: name for id, name in rows}  # noqa: C416 - a row is not a pair to mypy
