"""Erasing a donor who asked for it: first what goes and what stays, then the deed."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.fields.choices import SelectChoice

from campaigns import erasing, organisations
from campaigns.db import db
from campaigns.erasing import Wish
from campaigns.model.donor import Donor
from campaigns.model.staff import Permission
from campaigns.web.staff.forms import Form, required
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs
from config import settings

bp = Blueprint("erasures", __name__, url_prefix="/donors")

WISHES = {
    Wish.WRITTEN: _l("They asked in writing"),
    Wish.TOLD: _l("They asked by telephone or in person"),
    Wish.RELATIVE: _l("They died, and a relative asked"),
    Wish.NEEDLESS: _l("Nobody asked: we need it no longer"),
}


class EraseForm(Form):
    wish = RadioField(
        _l("Why"),
        [required(_l("Choose why."))],
        choices=[SelectChoice(value=one.value, label=words) for one, words in WISHES.items()],
        description=_l("The record keeps this and who you are, and neither name nor address."),
    )
    sure = BooleanField(
        _l("I have made sure that it is this person. This cannot be undone."),
        [required(_l("Tick this if you are sure."))],
    )


@bp.get("/<int:id>/erase")
@needs(Permission.ADMINISTER)
def ask(id: int) -> Any:
    """Not for treasurers: who books by hand does not erase who gave."""
    donor = found(Donor, id)
    if donor.merged_into is not None:
        return redirect(url_for(".ask", id=donor.merged_into))
    return _page(donor, EraseForm())


@bp.post("/<int:id>/erase")
@needs(Permission.ADMINISTER)
def erase(id: int) -> Any:
    donor, form = found(Donor, id), EraseForm()
    if not form.validate():
        return _page(donor, form), 400
    ours = organisations.ours()
    locale = ours.default_locale if ours else settings().default_locale
    erasing.erase_for(donor, Wish(form.wish.data), locale, datetime.now(UTC), me())
    db.session.commit()
    flash(_("We have forgotten them. What was given stays, without a name."))
    return redirect(url_for("staff.donors.one", id=donor.merged_into or donor.id))


def _page(donor: Donor, form: EraseForm) -> str:
    name = donor.name or _("Donor %(number)s", number=donor.id)
    return show(
        "staff/erase.html",
        _("Erase this donor?"),
        (_("Donors"), url_for("staff.donors.index")),
        (name, url_for("staff.donors.one", id=donor.id)),
        donor=donor,
        held=erasing.held(donor),
        form=form,
    )
