"""Claimed gifts: who says that a gift was theirs, what their number leads to, and release."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import claimed_gifts, claiming_gifts, persons
from campaigns.claimed_gifts import Found, Verdict
from campaigns.claiming_gifts import NotYours
from campaigns.db import db
from campaigns.model.entry import Entry
from campaigns.model.gift import Gift
from campaigns.model.gift_claim import GiftClaim
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import paging
from campaigns.web.staff.forms import Form, longest
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


WHY = {
    "release": _l("Write why the gift is not theirs."),
    "hand_over": _l("Write why the gift is theirs."),
    "turn_down": _l("Write why the gift is not theirs."),
}


@dataclass(frozen=True)
class Holder:
    """Whose a contested gift is, and since when by a claim; None if it came with their address."""

    donor_id: int
    claimed_at: datetime | None


class ReasonForm(Form):
    reason = StringField(_l("Reason"), [longest(300)])

    def said(self, what: str) -> str | None:
        """The reason; without one the page says what to write."""
        if self.validate() and (reason := (self.reason.data or "").strip()):
            return reason
        flash(str((self.reason.errors or [WHY[what]])[0]))
        return None


@bp.get("")
@needs(Permission.SEE_DONORS)
def index() -> str:
    contested = {claim.id: entry for claim, entry in claimed_gifts.contested()}
    every = select(GiftClaim).options(selectinload(GiftClaim.donor))
    only = bool(request.args.get("contested"))
    if only:
        every = every.where(GiftClaim.id.in_(list(contested)))
    table = paging.newest_first(every, GiftClaim.id, {"contested": "1" if only else None})
    return show(
        "staff/claims.html",
        _("Claimed gifts"),
        (_("Donors"), url_for("staff.donors.index")),
        table=table,
        only=only,
        contested=len(contested),
        holders={id: _holder(entry) for id, entry in contested.items()},
        titles={row.id: row.campaign.text(language.current()).title for row in table.rows},
        behind={row.id: _behind(row) for row in table.rows},
        verdicts=VERDICTS,
        days=claiming_gifts.UNCONFIRMED_KEPT.days,
    )


@bp.post("/<int:id>/release")
@needs(Permission.SEE_DONORS)
def release(id: int) -> Response:
    claim, reason = found(GiftClaim, id), ReasonForm().said("release")
    if reason is None:
        return redirect(url_for("staff.claims.index", _anchor=f"claim-{id}"))
    claiming_gifts.release(claim, reason, datetime.now(UTC), me())
    db.session.commit()
    flash(_("The gift is anonymous again and can be claimed anew."))
    return redirect(url_for("staff.claims.index"))


@bp.post("/<int:id>/hand-over")
@needs(Permission.SEE_DONORS)
def hand_over(id: int) -> Response:
    """A contested gift goes to who claims it now, once they confirm it by another letter."""
    claim, reason = found(GiftClaim, id), ReasonForm().said("hand_over")
    if reason is not None:
        try:
            claiming_gifts.hand_over(claim, reason, datetime.now(UTC), me())
        except NotYours:
            flash(_("This changed meanwhile. Look again."))
        else:
            flash(_("The gift is free, and a letter asks them to confirm it."))
        db.session.commit()
    return redirect(url_for("staff.claims.index", contested=1))


@bp.post("/<int:id>/turn-down")
@needs(Permission.SEE_DONORS)
def turn_down(id: int) -> Response:
    claim, reason = found(GiftClaim, id), ReasonForm().said("turn_down")
    if reason is not None:
        try:
            claiming_gifts.turn_down(claim, reason, datetime.now(UTC), me())
        except NotYours:
            flash(_("This changed meanwhile. Look again."))
        else:
            flash(_("The claim is gone. The gift stays whose it was."))
        db.session.commit()
    return redirect(url_for("staff.claims.index", contested=1))


def _holder(entry: Entry) -> Holder:
    claims = claiming_gifts.holding(entry)
    gift = db.session.get_one(Gift, entry.id)
    donor_id = persons.behind(gift.donor_id) or 0
    return Holder(donor_id, claims[0].confirmed_at if claims else None)


def _behind(claim: GiftClaim) -> Found | None:
    """What its number leads to; of a claim that was released nothing is asked."""
    return None if claim.released_at else claimed_gifts.behind(claim)
