"""The calendar of a month: what is scheduled, due and sent, in the organisation's zone."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from campaigns import calendar, hours
from campaigns.model.campaign import Campaign
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import sendings
from campaigns.web.staff.page import show
from campaigns.web.staff.session import needs

bp = Blueprint("calendar", __name__, url_prefix="/calendar")

_MONTH = re.compile(r"(\d{4})-(\d{2})")
# A month has a next and a previous one as long as the calendar does.
_FIRST, _LAST = 1970, 9998
# Seven days that begin with a Monday, for the weekdays' names.
_WEEK = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    zone = ZoneInfo(hours.ours().zone)
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    first = _month(request.args.get("month", "")) or today.replace(day=1)
    return show(
        "staff/calendar.html",
        _named(first),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        days=calendar.month(first, language.current(), now),
        today=today,
        weekdays=[format_date(day, "EEE", get_locale()) for day in _WEEK],
        before=_link(first - timedelta(days=1)),
        after=_link(first + timedelta(days=31)),
        this_month=None if first == today.replace(day=1) else _link(today),
        subject=sendings.subject,
        campaign=_title,
        zone=zone,
    )


def _month(text: str) -> date | None:
    """The first day of "2026-11"; None for what is no month."""
    found = _MONTH.fullmatch(text)
    if not found or not _FIRST <= int(found[1]) <= _LAST or not 1 <= int(found[2]) <= 12:
        return None
    return date(int(found[1]), int(found[2]), 1)


def _link(within: date) -> tuple[str, str]:
    """The address and the name of a month."""
    first = within.replace(day=1)
    return url_for("staff.calendar.index", month=f"{first:%Y-%m}"), _named(first)


def _named(first: date) -> str:
    return str(format_date(first, _("MMMM y"), get_locale()))


def _title(campaign: Campaign) -> str:
    return campaign.text(language.current()).title
