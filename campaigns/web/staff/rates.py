"""Rates of currencies, entered by hand."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from campaigns import rates
from campaigns.db import db
from campaigns.model.staff import Permission
from campaigns.web.staff.forms import (
    DayField,
    Form,
    currency_field,
    longest,
    plain_number,
    required,
)
from campaigns.web.staff.page import ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("rates", __name__, url_prefix="/rates")


class RateForm(Form):
    day = DayField(_l("Day"), [required(_l("Write the day."))], render_kw={"class": "short"})
    base = currency_field(_l("One unit of"), default="USD")
    rate = StringField(
        _l("was worth"),
        [required(_l("Write a rate such as 7.1268."))],
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    quote = currency_field(_l("in the currency"), default="CNY")
    source = StringField(
        _l("According to"),
        [required(_l("Write who published it.")), longest(200)],
        description=_l("Such as the central parity rate of the People's Bank of China."),
    )

    def read(self) -> rates.Quote | None:
        """What was typed; None, with the reason, where the rate is no number."""
        try:
            rate = Decimal(plain_number(self.rate.data))
        except InvalidOperation:
            self.refuse("rate", _("Write a rate such as 7.1268."))
            return None
        source = self.source.data.strip()
        return rates.Quote(self.day.data, self.base.data, self.quote.data, rate, source)


@bp.get("")
@needs(Permission.ENTER_RATES)
def index() -> str:
    return _page(RateForm())


@bp.post("")
@needs(Permission.ENTER_RATES)
def enter() -> Any:
    form = RateForm()
    quote = form.read() if form.validate() else None
    if quote is not None:
        try:
            rates.enter(quote, datetime.now(UTC), me())
        except rates.BadRate as error:
            form.refuse("rate", _(str(error)))
    if form.errors:
        return _page(form), 400
    db.session.commit()
    flash(_("The rate is kept."))
    return redirect(url_for("staff.rates.index"))


def _page(form: RateForm) -> str:
    return show(
        "staff/rates.html", _("Rates"), tabs=ledger_tabs("rates"), form=form, rates=rates.newest()
    )
