"""Reconciliation: where reports and entries disagree, and why; staff explain or book the rest."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, StringField

from campaigns import comparison, figures, reconciliation
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission, Staff
from campaigns.money import BadMoney, Money
from campaigns.reconciliation import LONGEST_TOLERANCE, Standing
from campaigns.silences import Silence
from campaigns.web.staff import choices, places
from campaigns.web.staff.forms import (
    AmountField,
    CountField,
    Form,
    longest,
    read_amount,
    required,
)
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("reconciliation", __name__, url_prefix="/reconciliation")

SHOWN = 31  # days on a page


class ExplainForm(Form):
    note = StringField(
        _l("Why they differ"),
        [required(_l("Write why. It is kept with today's date.")), longest(500)],
    )
    gap = HiddenField()


class ToleranceForm(Form):
    compared = BooleanField(_l("Compare reports with what is booked"))
    amount = AmountField(
        _l("A gap up to"),
        description=_l("So much may be missing or too much without anybody being asked."),
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    days = CountField(
        _l("or for so many days"),
        [required(_l("Write a whole number, such as 3."))],
        description=_l("Entries often come later than reports."),
        render_kw={"inputmode": "numeric", "class": "short"},
    )
    reason = StringField(_l("Reason"), [required(_l("Write why.")), longest(500)])


@bp.get("")
@needs(Permission.SEE_LEDGER)
def index() -> str:
    now = datetime.now(UTC)
    listings = reconciliation.open_listings()
    today = figures.day_of(now)
    sums = comparison.days(listings, today, today)
    return show(
        "staff/reconciliation.html",
        _("Reconciliation"),
        tabs=ledger_tabs("reconciliation"),
        listings=listings,
        names=choices.names(),
        standing=reconciliation.standing(listings, now),
        silent=reconciliation.silent(listings, now),
        sums={id: days[0] for id, days in sums.items()},
        today=today,
    )


@bp.get("/<int:id>")
@needs(Permission.SEE_LEDGER)
def one(id: int) -> str:
    return _page(found(Listing, id))


@bp.post("/<int:id>/explain")
@needs(Permission.BOOK)
def explain(id: int) -> Any:
    listing, form, now = found(Listing, id), ExplainForm(), datetime.now(UTC)
    if not form.validate():
        return _page(listing, explaining=form), 400
    standing = reconciliation.standing([listing], now).get(listing.id)
    try:
        gap = Money.of(form.gap.data or "", listing.currency)
        if standing is None:
            raise reconciliation.GapChanged
        reconciliation.explain(standing, gap, form.note.data.strip(), now, me())
    except (reconciliation.GapChanged, BadMoney):
        flash(_("The gap is another one by now. Look again before you explain it."))
    else:
        flash(_("Your explanation is kept. It holds as long as the gap has this size."))
    db.session.commit()
    return _to(listing)


@bp.post("/<int:id>/tolerance")
@needs(Permission.BOOK)
def tolerate(id: int) -> Any:
    listing, form, now = found(Listing, id), ToleranceForm(), datetime.now(UTC)
    amount: Money | None = None
    if form.validate() and form.compared.data:
        amount = read_amount(form, "amount", listing.currency) or Money.zero(listing.currency)
    if not form.errors:
        reason = form.reason.data.strip()
        try:
            reconciliation.tolerate(listing, amount, form.days.data or 0, reason, now, me())
        except reconciliation.BadTolerance:
            form.refuse("days", _("At most %(max)d days.", max=LONGEST_TOLERANCE))
    if form.errors:
        return _page(listing, tolerating=form), 400
    db.session.commit()
    flash(_("This is kept."))
    return _to(listing)


def _page(
    listing: Listing,
    explaining: ExplainForm | None = None,
    tolerating: ToleranceForm | None = None,
) -> str:
    now = datetime.now(UTC)
    today = figures.day_of(now)
    until = _until(today)
    first = until - timedelta(days=SHOWN - 1)
    standing = reconciliation.standing([listing], now).get(listing.id)
    silence = reconciliation.silent([listing], now).get(listing.id)
    name = choices.names()[listing.id]
    return show(
        "staff/reconciliation_listing.html",
        f"{name.page} · {name.title}",
        (_("Reconciliation"), url_for("staff.reconciliation.index")),
        listing=listing,
        standing=standing,
        silence=silence,
        endpoint=_endpoint(silence),
        today=today,
        days=comparison.days([listing], first, until)[listing.id][::-1],
        earlier=url_for(".one", id=listing.id, until=(first - timedelta(days=1)).isoformat()),
        later=_later(listing, until, today),
        said=reconciliation.explanations(listing),
        people={one.id: one.name or one.email for one in db.session.scalars(select(Staff))},
        missing=_missing(standing),
        explaining=explaining or _explain(standing),
        tolerating=tolerating or _tolerate(listing),
    )


def _endpoint(silence: Silence | None) -> WebhookEndpoint | None:
    if silence is None or silence.endpoint_id is None:
        return None
    return db.session.get(WebhookEndpoint, silence.endpoint_id)


def _explain(standing: Standing | None) -> ExplainForm:
    gap = standing.last.gap if standing else None
    return ExplainForm(formdata=None, gap=gap.amount if gap else "")


def _tolerate(listing: Listing) -> ToleranceForm:
    compared = listing.tolerance_minor is not None
    return ToleranceForm(
        formdata=None,
        compared=compared,
        amount=Money(listing.tolerance_minor or 0, listing.currency),
        days=listing.tolerance_days,
    )


def _until(today: date) -> date:
    """The last day that the address asks for; today if it asks for none that was."""
    try:
        asked = date.fromisoformat(request.args.get("until", ""))
    except ValueError:
        return today
    return asked if date(2000, 1, 1) <= asked <= today else today


def _later(listing: Listing, until: date, today: date) -> str | None:
    if until >= today:
        return None
    later = min(until + timedelta(days=SHOWN), today)
    return url_for(".one", id=listing.id, until=later.isoformat())


def _missing(standing: Standing | None) -> str | None:
    """The form that books what is missing, filled in."""
    gap = standing.last.gap if standing else None
    if standing is None or gap is None or gap.minor <= 0:
        return None
    return url_for(
        "staff.byhand.index",
        listing=places.named(standing.listing),
        amount=gap.amount,
        currency=gap.currency,
    )


def _to(listing: Listing) -> Response:
    return redirect(url_for("staff.reconciliation.one", id=listing.id))
