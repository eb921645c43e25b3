"""Donors: who gives and follows; what of each gift the public sees; messages to look at."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField

from campaigns import givers, merging, showing, tagging, wordings
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.consent import ConsentSource, Purpose
from campaigns.model.donor import Donor
from campaigns.model.gift import Gift, Moderation
from campaigns.model.staff import Permission
from campaigns.model.suppression import SuppressionCause
from campaigns.web import language
from campaigns.web.staff import paging, sendings
from campaigns.web.staff.forms import LANGUAGES, Form, line, longest, offer
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.zones import zone_field

bp = Blueprint("donors", __name__, url_prefix="/donors")

PURPOSES = {
    Purpose.UPDATES: _l("updates of a campaign"),
    Purpose.NEWSLETTER: _l("the newsletter"),
    Purpose.RECEIPTS: _l("thanks for a gift"),
}
SOURCES = {
    ConsentSource.FORM: _l("by the form"),
    ConsentSource.WEBHOOK: _l("on the platform"),
    ConsentSource.FILE: _l("by a file"),
    ConsentSource.STAFF: _l("by staff"),
    ConsentSource.LETTER: _l("by a letter's link"),
}
CAUSES = {
    SuppressionCause.LEFT: _l("left everything"),
    SuppressionCause.BOUNCED: _l("letters bounce"),
    SuppressionCause.COMPLAINED: _l("complained"),
    SuppressionCause.STAFF: _l("suppressed by staff"),
}
MODERATIONS = {
    Moderation.WAITING: _l("waiting"),
    Moderation.SHOWN: _l("shown"),
    Moderation.HIDDEN: _l("hidden"),
}


class NameForm(Form):
    shown = BooleanField(_l("Show a name beside the gift"))
    public_name = StringField(_l("Name shown"), [longest(200)])


class AboutForm(Form):
    zone = zone_field(_l("Time zone"), description=_l("Letters come by day there."))
    place = StringField(
        _l("Place"),
        [longest(120)],
        description=_l("Province and city, or the country, as you will search for it."),
        render_kw={"autocomplete": "off"},
    )
    tags = StringField(
        _l("Tags"),
        [longest(1000)],
        description=_l("Words to select donors by, with commas between them."),
        render_kw={"autocomplete": "off"},
    )

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        offer(self.zone, {"": _("as the organisation's")})


@bp.get("")
@needs(Permission.SEE_DONORS)
def index() -> str:
    return _list(paging.newest_first(givers.matching(""), Donor.id, {}), "")


@bp.post("")
@needs(Permission.SEE_DONORS)
def find() -> str:
    """A POST, so that no address stands in a log of addresses asked for."""
    text = request.form.get("q", "")[:320]
    matching = givers.matching(text).order_by(Donor.id.desc()).limit(paging.PER_PAGE)
    rows = list(db.session.scalars(matching))
    return _list(paging.Page(rows, newer=None, older=None), text)


@bp.get("/<int:id>")
@needs(Permission.SEE_DONORS)
def one(id: int) -> str:
    return _page(found(Donor, id))


@bp.post("/<int:id>/about")
@needs(Permission.SEE_DONORS)
def about(id: int) -> Any:
    donor, form = found(Donor, id), AboutForm()
    if form.validate():
        with form.refusing({tagging.BadTag: "tags"}):
            tags = tagging.read(form.tags.data or "")
            tagging.describe(donor, line(form.place), tags, me(), datetime.now(UTC))
            tagging.move(donor, form.zone.data or None, me(), datetime.now(UTC))
    if form.errors:
        return _page(donor, form), 400
    db.session.commit()
    flash(_("This is kept."))
    return redirect(url_for("staff.donors.one", id=id))


@bp.post("/gifts/<int:id>/name")
@needs(Permission.SEE_DONORS)
def name(id: int) -> Any:
    gift, form = found(Gift, id), NameForm()
    public_name = (form.public_name.data or "").strip()
    if form.validate() and form.shown.data and not public_name:
        form.refuse("public_name", _("Write the name to show."))
    if form.errors:
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors))
        return _back(gift)
    showing.name(gift, public_name if form.shown.data else None, datetime.now(UTC), me())
    db.session.commit()
    flash(_("This is kept. The public page shows it within seconds."))
    return _back(gift)


@bp.post("/gifts/<int:id>/message")
@needs(Permission.SEE_DONORS)
def message(id: int) -> Response:
    gift, wish = found(Gift, id), request.form.get("moderation", "")
    if wish not in list(Moderation):
        abort(400)
    try:
        showing.message(gift, Moderation(wish), datetime.now(UTC), me())
    except showing.NoMessage:
        abort(404)
    db.session.commit()
    flash(_("This is kept. The public page shows it within seconds."))
    return _back(gift)


@bp.get("/messages")
@needs(Permission.SEE_DONORS)
def messages() -> str:
    asked = request.args.get("state", "")
    state = Moderation(asked) if asked in list(Moderation) else Moderation.WAITING
    table = paging.newest_first(givers.messages(state), Gift.entry_id, {"state": state.value})
    return show(
        "staff/messages.html",
        _("Messages"),
        (_("Donors"), url_for("staff.donors.index")),
        table=table,
        state=state,
        states=MODERATIONS,
        titles=_titles(),
    )


def _list(table: paging.Page, text: str) -> str:
    return show(
        "staff/donors.html",
        _("Donors"),
        tabs=ledger_tabs("donors"),
        table=table,
        given=givers.given(table.rows),
        text=text,
    )


def _page(donor: Donor, about: AboutForm | None = None) -> str:
    place, tags = tagging.place(donor), tagging.of(donor)
    known = AboutForm(formdata=None, place=place, tags=", ".join(tags), zone=donor.timezone)
    letters = givers.letters(donor)
    return show(
        "staff/donor.html",
        donor.name or _("Donor %(number)s", number=donor.id),
        (_("Donors"), url_for("staff.donors.index")),
        donor=donor,
        given=givers.given([donor])[donor.id],
        gifts=givers.gifts(donor),
        consents=givers.consents(donor),
        words=wordings.of,
        letters=letters,
        subjects=sendings.subjects(letters),
        languages=LANGUAGES,
        suppressions=givers.suppressions(donor),
        merges=merging.of(donor),
        about=about or known,
        place=place,
        tags=tags,
        titles=_titles(),
        purposes=PURPOSES,
        sources=SOURCES,
        causes=CAUSES,
        moderations=MODERATIONS,
    )


def _titles() -> dict[int, str]:
    every = db.session.query(Campaign).all()
    return {campaign.id: campaign.text(language.current()).title for campaign in every}


def _back(gift: Gift) -> Response:
    if request.args.get("from") == "messages" or gift.donor_id is None:
        return redirect(url_for("staff.donors.messages"))
    return redirect(url_for("staff.donors.one", id=gift.donor_id))
