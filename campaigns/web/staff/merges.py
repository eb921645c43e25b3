"""Merging donors: who may be one person, what a merge would move, and its undoing."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from campaigns import donors, givers, likeness, merging
from campaigns.db import db
from campaigns.mail.address import Address, BadAddress
from campaigns.model.campaign import Campaign
from campaigns.model.donor import Donor
from campaigns.model.merge import Merge
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff.donors import CAUSES, PURPOSES
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("merges", __name__, url_prefix="/donors/merges")

WHY_NOT = {
    "same": _l("This is the same row."),
    "merged": _l("One of the two was merged already. Undo that first."),
    "merged into": _l("Another row was merged into this one. Undo that first, or merge the other "
                      "way round."),
    "erased": _l("One of the two has no address any more."),
}  # fmt: skip


@bp.get("")
@needs(Permission.SEE_DONORS)
def index() -> str:
    pairs = likeness.alike()
    people = [one for pair in pairs for one in pair]
    return show(
        "staff/merges.html",
        _("Perhaps the same person"),
        (_("Donors"), url_for("staff.donors.index")),
        pairs=pairs,
        apart=likeness.told_apart(),
        given=givers.given(people),
    )


@bp.get("/<int:id>/<int:into>")
@needs(Permission.SEE_DONORS)
def ask(id: int, into: int) -> Any:
    """What merging the first into the second would move."""
    donor, other = found(Donor, id), found(Donor, into)
    try:
        preview = merging.preview(donor, other)
    except merging.NotMergeable as error:
        flash(str(WHY_NOT[error.why]))
        return _to(donor)
    titles = {one.id: one.text(language.current()).title for one in db.session.query(Campaign)}
    return show(
        "staff/merge.html",
        _("Are they one person?"),
        (_("Donors"), url_for("staff.donors.index")),
        donor=donor,
        into=other,
        preview=preview,
        apart=likeness.apart(donor, other),
        given=givers.given([donor, other]),
        titles=titles,
        purposes=PURPOSES,
        causes=CAUSES,
    )


@bp.post("/<int:id>/<int:into>")
@needs(Permission.SEE_DONORS)
def merge(id: int, into: int) -> Response:
    donor, other = found(Donor, id), found(Donor, into)
    try:
        merging.merge(donor, other, datetime.now(UTC), me())
    except merging.NotMergeable as error:
        flash(str(WHY_NOT[error.why]))
    else:
        flash(_("They are one person now. You can undo this on this page."))
    db.session.commit()
    return _to(other)


@bp.post("/<int:id>/<int:into>/apart")
@needs(Permission.SEE_DONORS)
def tell_apart(id: int, into: int) -> Response:
    """They are two people, so that nobody has to look at them again."""
    donor, other = found(Donor, id), found(Donor, into)
    if donor is other:
        flash(str(WHY_NOT["same"]))
        return _to(donor)
    likeness.tell_apart(donor, other, datetime.now(UTC), me())
    db.session.commit()
    flash(_("They are two people, and are not suggested again. You can undo this below."))
    return redirect(url_for("staff.merges.index"))


@bp.post("/<int:id>/<int:into>/again")
@needs(Permission.SEE_DONORS)
def suggest_again(id: int, into: int) -> Response:
    apart = likeness.apart(found(Donor, id), found(Donor, into))
    if apart is not None:
        likeness.suggest_again(apart, datetime.now(UTC), me())
        db.session.commit()
    flash(_("They may be one person again, and are suggested as long as they look alike."))
    return redirect(url_for("staff.merges.index"))


@bp.post("/with/<int:id>")
@needs(Permission.SEE_DONORS)
def choose(id: int) -> Response:
    """Look at merging with whoever has the address that was typed."""
    donor, other = found(Donor, id), None
    try:
        other = donors.at(Address.parse(request.form.get("address", "")))
    except BadAddress:
        flash(_("This is not a mail address, such as ada@example.org."))
        return _to(donor)
    if other is None:
        flash(_("Nobody has this address."))
        return _to(donor)
    return redirect(url_for("staff.merges.ask", id=donor.id, into=other.id))


@bp.post("/<int:id>/undo")
@needs(Permission.SEE_DONORS)
def undo(id: int) -> Response:
    made = found(Merge, id)
    try:
        merging.undo(made, datetime.now(UTC), me())
    except merging.NotMerged:
        flash(_("This was undone already."))
    else:
        flash(_("They are two people again."))
    db.session.commit()
    return _to(made.donor)


def _to(donor: Donor) -> Response:
    return redirect(url_for("staff.donors.one", id=donor.id))
