"""To settle: rows of imported files that name no listing, all that are alike at once."""

from datetime import UTC, datetime
from time import monotonic
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField

from campaigns import assigning, settling, suggestions, unplaced
from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.model.placement import PlacedBy
from campaigns.model.staff import Permission
from campaigns.unplaced import Group
from campaigns.web.staff import choices
from campaigns.web.staff.forms import Form, longest, offer, required, select_field
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("unplaced", __name__, url_prefix="/settle/rows")

# Rows of one transaction, which nobody should wait for, and how long one press of a button lasts.
AT_ONCE = 50
LONGEST = 8  # seconds


class PlaceForm(Form):
    listing = select_field(_l("They belong to"))
    rule = RadioField(_l("Remember"), [required("")], default="")


class LeaveForm(Form):
    why_left = StringField(
        _l("Reason"),
        [required(_l("Write why they are not booked. It is kept with the rows.")), longest(300)],
    )


@bp.get("")
@needs(Permission.BOOK)
def one() -> str:
    return _page(_group())


@bp.post("/place")
@needs(Permission.BOOK)
def place() -> Any:
    """Book a group's rows, a few in a transaction; what is left after a while waits on."""
    group, form = _group(), PlaceForm()
    _offer(form, group)
    form.validate()
    if not form.listing.data:
        form.refuse("listing", _("Choose the listing it belongs to."))
    if form.errors:
        return _page(group, placing=form), 400
    listing = found(Listing, int(form.listing.data))
    if form.rule.data:
        _remember(PlacedBy(form.rule.data), group, listing)
    booked, refused = _book(group, listing)
    if booked:
        flash(ngettext("One row is booked.", "%(num)d rows are booked.", booked))
    if refused:
        flash(_("%(num)d could not be booked: the ledger has them otherwise.", num=refused))
    return redirect(url_for("staff.settle.index"))


@bp.post("/leave")
@needs(Permission.BOOK)
def leave() -> Any:
    group, form = _group(), LeaveForm()
    if not form.validate():
        return _page(group, leaving=form), 400
    unplaced.leave(group, form.why_left.data.strip(), datetime.now(UTC), me())
    db.session.commit()
    flash(_("They stay unbooked, with your reason."))
    return redirect(url_for("staff.settle.index"))


def address(group: Group) -> str:
    """The page of a group."""
    return url_for("staff.unplaced.one", **_kept(group))


def _kept(group: Group) -> dict[str, Any]:
    return {"file": group.of.id, "ref": group.ref, "begins": group.begins}


def _group() -> Group:
    """The group that the address names; back to the queue where nothing of it waits any more."""
    file = request.args.get("file", "")
    if not file.isascii() or not file.isdecimal() or len(file) > 18:
        abort(404)
    ref, begins = request.args.get("ref"), request.args.get("begins", "")
    group = unplaced.group(int(file), ref, begins)
    if group is None:
        flash(_("Somebody settled this meanwhile."))
        abort(_back())
    return group


def _back() -> Response:
    return redirect(url_for("staff.settle.index"))


def _page(group: Group, placing: PlaceForm | None = None, leaving: LeaveForm | None = None) -> str:
    suggestion = suggestions.of([group.named])[group.named]
    if placing is None:
        likely = str(suggestion.listing_id) if suggestion else ""
        placing = PlaceForm(formdata=None, listing=likely)
        _offer(placing, group)
    return show(
        "staff/unplaced.html",
        ngettext("One row waits", "%(num)d rows wait", group.count),
        (_("To settle"), url_for("staff.settle.index")),
        group=group,
        kept=_kept(group),
        names=choices.names(),
        suggestion=suggestion,
        placing=placing,
        leaving=leaving or LeaveForm(formdata=None),
    )


def _offer(form: PlaceForm, group: Group) -> None:
    offer(form.listing, {"": _("Choose a listing"), **choices.listings()})
    options = [("", _("Only these"))]
    if group.ref:
        options.append((PlacedBy.REF, _("From now on all that name “%(text)s”", text=group.ref)))
    if group.begins:
        text = _("From now on all whose order begins with “%(text)s”", text=group.begins)
        options.append((PlacedBy.ORDER, text))
    form.rule.choices = options


def _remember(by: PlacedBy, group: Group, listing: Listing) -> None:
    text = (group.ref or "") if by is PlacedBy.REF else group.begins
    settling.remember(group.of.source, by, text, listing, datetime.now(UTC), me())
    db.session.commit()


def _book(group: Group, listing: Listing) -> tuple[int, int]:
    """How many were booked and how many refused."""
    until, after, booked, refused = monotonic() + LONGEST, -1, 0, 0
    while monotonic() < until and (rows := unplaced.rows_of(group, after, AT_ONCE)):
        after, wrong = rows[-1].position, assigning.assign(rows, listing, datetime.now(UTC), me())
        booked, refused = booked + len(rows) - len(wrong), refused + len(wrong)
        db.session.commit()
    return booked, refused
