"""Claimed gifts: who says that a gift was theirs, what their number leads to, and release."""

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import claimed_gifts, claiming_gifts
from campaigns.claimed_gifts import Found, Verdict
from campaigns.db import db
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import paging
from campaigns.web.staff.forms import Form, longest, required
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("claims", __name__, url_prefix="/claims")

# What a claim that was not confirmed leads to: words, look and sign of its tag.
VERDICTS = {
    Verdict.FREE: (_l("waits for the button in the letter"), "", "…"),
    Verdict.YOURS: (_l("waits for the button in the letter"), "", "…"),
    Verdict.TAKEN: (_l("somebody else has the gift"), "warn", "!"),
    Verdict.SEVERAL: (_l("several gifts have this number"), "warn", "!"),
    Verdict.UNKNOWN: (_l("no gift has this number yet"), "", "?"),
}


class ReleaseForm(Form):
    reason = StringField(
        _l("Reason"), [required(_l("Write why the gift is not theirs.")), longest(300)]
    )


@bp.get("")
@needs(Permission.SEE_DONORS)
def index() -> str:
    every = select(GiftClaim).options(selectinload(GiftClaim.donor))
    table = paging.newest_first(every, GiftClaim.id, {})
    return show(
        "staff/claims.html",
        _("Claimed gifts"),
        (_("Donors"), url_for("staff.donors.index")),
        table=table,
        titles={row.id: row.campaign.text(language.current()).title for row in table.rows},
        behind={row.id: _behind(row) for row in table.rows},
        verdicts=VERDICTS,
        days=claiming_gifts.UNCONFIRMED_KEPT.days,
    )


@bp.post("/<int:id>/release")
@needs(Permission.SEE_DONORS)
def release(id: int) -> Response:
    claim, form = found(GiftClaim, id), ReleaseForm()
    if not form.validate():
        flash(str(form.reason.errors[0]))
        return redirect(url_for("staff.claims.index", _anchor=f"claim-{id}"))
    claiming_gifts.release(claim, form.reason.data.strip(), datetime.now(UTC), me())
    db.session.commit()
    flash(_("The gift is anonymous again and can be claimed anew."))
    return redirect(url_for("staff.claims.index"))


def _behind(claim: GiftClaim) -> Found | None:
    """What its number leads to; of a claim that was released nothing is asked."""
    return None if claim.released_at else claimed_gifts.behind(claim)
