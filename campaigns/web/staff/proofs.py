"""Proofs: a text as its readers will get it, while it is written and before it goes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import blocks, composition, segments, slots, text, throttles, trying
from campaigns.composition import Preview
from campaigns.db import db
from campaigns.model.donor import Donor
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web.staff import sendings
from campaigns.web.staff.forms import LANGUAGES
from campaigns.web.staff.page import found, show
from campaigns.web.staff.sandbox import sandboxed
from campaigns.web.staff.session import me, needs
from config import LOCALES

bp = Blueprint("proofs", __name__, url_prefix="/updates")

_LONGEST = 100_000
# As many readers are offered by name; any other can be given by number.
_OFFERED = 50
# A test is for a glance at one's own mail program; more would be a way to fill a mailbox.
_MOST, _PER = 20, timedelta(hours=1)
LOOKS = ("letter", "phone", "text")


@bp.get("/<int:id>/proof")
@needs(Permission.LOOK)
def one(id: int) -> str:
    """The letter in both languages, as a donor of one's choice gets it."""
    update, look = found(Update, id), request.args.get("look", "")
    donor = _donor()
    return show(
        "staff/proof.html",
        _("As its readers get it"),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        (sendings.title(update), url_for("staff.updates.one", id=id)),
        update=update,
        look=look if look in LOOKS else LOOKS[0],
        tabs=_tabs(id, look, donor),
        written=[written.locale for written in update.texts],
        locales=LOCALES,
        languages=LANGUAGES,
        donor=donor,
        subjects={one.locale: _letter(update, one.locale).subject for one in update.texts},
        readers=_readers(update) if me().may(Permission.SEE_DONORS) else None,
    )


@bp.get("/<int:id>/letter/<locale>")
@needs(Permission.LOOK)
def letter(id: int, locale: str) -> Response:
    """The update as the letter it would become, in a frame that can do nothing."""
    return sandboxed(_letter(found(Update, id), locale).html)


@bp.get("/<int:id>/text/<locale>")
@needs(Permission.LOOK)
def plain(id: int, locale: str) -> Response:
    """The same as the text part says it."""
    answer = sandboxed(_letter(found(Update, id), locale).plain)
    answer.content_type = "text/plain; charset=utf-8"
    return answer


@bp.post("/<int:id>/test")
@needs(Permission.WRITE)
def test(id: int) -> Any:
    """A letter of each language to oneself."""
    update, now = found(Update, id), datetime.now(UTC)
    if not throttles.allow(f"test:{me().id}", _MOST, _PER, now):
        said = _("You have sent yourself many tests. Go on in an hour.")
    elif trying.send(update, me(), now):
        said = _("A test is on its way to %(address)s.", address=me().email)
    else:
        said = _("Write a title and a text first.")
    db.session.commit()
    flash(said)
    return redirect(url_for("staff.proofs.one", id=id))


@bp.post("/look")
@needs(Permission.WRITE)
def look() -> Any:
    """What is being written, as it will look; nothing is kept."""
    locale = request.form.get("locale", "")
    locale = locale if locale in LOCALES else LOCALES[0]
    campaign, body = request.form.get("campaign", ""), request.form.get("body", "")[:_LONGEST]
    about = int(campaign) if campaign.isdecimal() and len(campaign) < 19 else None  # noqa: PLR2004
    try:
        blocks.check("", body, about_campaign=about is not None)
        wrong = None
    except slots.BadSlot as unfit:
        wrong = str(unfit)
    _title, shown = blocks.live(about, datetime.now(UTC)).for_anybody("", body, locale)
    return render_template("staff/look.html", html=text.html(shown), wrong=wrong, lang=locale)


def _letter(update: Update, locale: str) -> Preview:
    written, donor = update.text(locale, locale), _donor()
    words = (written.title, written.body)
    name = (donor.name or "") if donor else ""
    return composition.preview(update, words, written.locale, datetime.now(UTC), name)


def _donor() -> Donor | None:
    """The donor asked for by number, for those who may see who gives."""
    id = request.args.get("donor", "").strip()
    if not (id.isdecimal() and len(id) < 19) or not me().may(Permission.SEE_DONORS):  # noqa: PLR2004
        return None
    return db.session.get(Donor, int(id))


def _tabs(id: int, look: str, donor: Donor | None) -> list[dict[str, Any]]:
    words = {"letter": _("As letter"), "phone": _("On a phone"), "text": _("As text")}
    chosen = look if look in LOOKS else LOOKS[0]
    return [
        {
            "label": words[one],
            "url": url_for("staff.proofs.one", id=id, look=one, donor=donor and donor.id),
            "current": one == chosen,
        }
        for one in LOOKS
    ]


def _readers(update: Update) -> list[tuple[str, str]]:
    """The newest of those it is for."""
    segment = {"campaign": update.campaign_id} if update.campaign_id else {"everyone": True}
    newest = (
        select(Donor)
        .where(Donor.id.in_(segments.members(segment, datetime.now(UTC))))
        .order_by(Donor.id.desc())
        .limit(_OFFERED)
    )
    named = [
        (str(one.id), one.name or _("Donor %(number)s, without a name", number=one.id))
        for one in db.session.scalars(newest)
    ]
    return [("", _("somebody without a name")), *named]
