"""Figures by hand: every listing whose figure staff read themselves, on one page for a phone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from campaigns import reporting, rounds
from campaigns.db import db
from campaigns.model.report import Report, ReportState
from campaigns.model.staff import Permission
from campaigns.money import BadMoney, Money
from campaigns.platforms import typed
from campaigns.platforms.base import Reading
from campaigns.rounds import Stop
from campaigns.web import language
from campaigns.web.staff import figure, waiting
from campaigns.web.staff.forms import (
    Form,
    LocalMomentField,
    bad_amount,
    local_now,
    plain_number,
    read_moment,
    required,
)
from campaigns.web.staff.page import campaign_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("figures", __name__, url_prefix="/figures")

MOST = 500  # listings
LONGEST = 40  # characters of what is typed
# Who leaves the page open for so long reads other figures than those of its moment.
OPEN = timedelta(minutes=30)
_RAISED, _DONATIONS = "raised-", "donations-"


class MomentForm(Form):
    """`shown` is the moment that the page began with: one that nobody changed is of then."""

    moment = LocalMomentField(
        _l("When you read them"), validators=[required(_l("Write when you read them."))]
    )
    shown = HiddenField()


@dataclass
class Row:
    """A listing on the page: what was typed for it, what is wrong with that, what became of it.

    `report` is there once a figure is kept; `new` unless this very one was kept before.
    """

    stop: Stop
    raised: str = ""
    donations: str = ""
    error: str | None = None
    miscounted: str | None = None
    reading: Reading | None = None
    report: Report | None = None
    new: bool = False

    @property
    def id(self) -> int:
        return self.stop.listing.id

    @property
    def is_touched(self) -> bool:
        return bool(self.raised.strip() or self.donations.strip())

    @property
    def is_wrong(self) -> bool:
        return bool(self.error or self.miscounted)


@bp.get("")
@needs(Permission.ENTER_REPORTS)
def index() -> str:
    now = datetime.now(UTC)
    rows = [Row(stop) for stop in rounds.of(now)[:MOST]]
    return _page(rows, MomentForm(**fresh()), now)


@bp.post("")
@needs(Permission.ENTER_REPORTS)
def enter() -> Any:
    """Each listing by itself: what can be kept is kept, what cannot stays in its field."""
    now, form = datetime.now(UTC), MomentForm()
    rows = _typed(now)
    moment = moment_of(form, now)
    if moment is None:
        return _page(rows, form, now), 400
    for row in rows:
        if row.is_touched:
            _read(row, moment)
    good = [row for row in rows if row.reading is not None]
    read = [(row.stop.listing, row.reading) for row in rows if row.reading is not None]
    entered = reporting.enter_all(read, now, me())
    db.session.commit()
    waiting.counts().forget()
    for row, (report, new) in zip(good, entered, strict=True):
        row.report, row.new, row.raised, row.donations = report, new, "", ""
    _look_again(rows, now)
    if any(row.is_wrong for row in rows):
        return _page(rows, form, now, sent=True), 400
    return _page(rows, MomentForm(**fresh()), now, sent=True)


def fresh() -> dict[str, Any]:
    """What an empty form begins with."""
    now = local_now(me().timezone)
    return {"formdata": None, "moment": now, "shown": now.isoformat()}


def moment_of(form: MomentForm, now: datetime) -> datetime | None:
    """When the figures were read; None, with the reason beside the field, where that is unclear."""
    moment = read_moment(form, "moment", me().timezone) if form.validate() else None
    if moment is None:
        return None
    if moment > now + reporting.AHEAD:
        form.refuse("moment", _("This moment has not come yet."))
        return None
    if form.moment.data.isoformat() == form.shown.data and moment < now - OPEN:
        form.moment.raw_data, form.moment.data = None, local_now(me().timezone)
        form.shown.data = form.moment.data.isoformat()
        form.refuse(
            "moment",
            _("The page stood open for a while, so this is the time now. If you read the figures "
              "earlier, write when; then send them again."),
        )  # fmt: skip
        return None
    return moment


def _typed(now: datetime) -> list[Row]:
    """The page's rows with what was typed; also of a listing that has left the round since."""
    raised, donations = _sent(_RAISED), _sent(_DONATIONS)
    stops = rounds.of(now)[:MOST]
    there = {stop.listing.id for stop in stops}
    left = [id for id in {**raised, **donations} if id not in there]
    stops = [*rounds.named(left, now), *stops] if left else stops
    return [
        Row(stop, raised.get(stop.listing.id, ""), donations.get(stop.listing.id, ""))
        for stop in stops
    ]


def _sent(prefix: str) -> dict[int, str]:
    """What was typed into the fields of this name, by listing; those left empty are none."""
    found = {}
    for name, text in list(request.form.items())[: 2 * MOST + 10]:
        number = name.removeprefix(prefix)
        if name.startswith(prefix) and number.isdecimal() and len(number) < 19 and text.strip():
            found[int(number)] = text[:LONGEST]
    return found


def _read(row: Row, moment: datetime) -> None:
    currency = row.stop.listing.currency
    raised = _amount(row.raised, currency)
    donations = plain_number(row.donations)
    if raised is None:
        row.error = bad_amount(currency)
    if donations and not (donations.isdecimal() and donations.isascii() and len(donations) <= 9):
        row.miscounted = _("Write a whole number, such as 30.")
    if raised is not None and not row.is_wrong:
        row.reading = Reading(raised, moment, donations=int(donations) if donations else None)


def _amount(text: str, currency: str) -> Money | None:
    try:
        return typed.amount(text, currency)
    except BadMoney:
        return None


def _look_again(rows: Iterable[Row], now: datetime) -> None:
    """Beside a figure that was just kept stands what is known with it."""
    kept = {row.id: row for row in rows if row.report is not None}
    for stop in rounds.named(kept, now):
        kept[stop.listing.id].stop = stop


def _page(rows: Sequence[Row], form: MomentForm, now: datetime, *, sent: bool = False) -> str:
    # Where one goes on: the first that is wrong, else the first that is still to be entered.
    first = next((row.id for row in rows if row.is_wrong), None)
    if first is None:
        first = next((row.id for row in rows if row.report is None), None)
    return show(
        "staff/figures_by_hand.html",
        _("Enter figures"),
        tabs=campaign_tabs("figures"),
        form=form,
        campaigns=[
            (group[0].stop.campaign.text(language.current()).title, group)
            for _id, found in groupby(rows, key=lambda row: row.stop.campaign.id)
            if (group := list(found))
        ],
        kept=sum(1 for row in rows if row.report and row.report.state is ReportState.ACCEPTED),
        held=sum(1 for row in rows if row.report and row.report.state is ReportState.QUARANTINED),
        wrong=sum(1 for row in rows if row.is_wrong),
        counted=any(row.donations or row.miscounted for row in rows),
        platform=figure.platform,
        sent=sent,
        first=first,
        now=now,
        zone=me().timezone,
    )
