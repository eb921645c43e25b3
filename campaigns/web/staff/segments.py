"""Segments in the browser: built in a form that counts, kept under a name, given to mailings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from campaigns import keeping, mailings, segments
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.mailing import Mailing
from campaigns.model.segment import EVERYONE, Definition, Segment
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web.staff import segment_words, sendings
from campaigns.web.staff.forms import line
from campaigns.web.staff.page import found, show
from campaigns.web.staff.segment_form import Builder
from campaigns.web.staff.session import me, needs

bp = Blueprint("segments", __name__, url_prefix="/segments")

# Names on a page: enough to see whether the right people are meant.
SHOWN = 30
Stored = Mapping[str, Any]


@dataclass(frozen=True)
class Counted:
    """Of a segment's people how many may be written to, for one purpose.

    `campaign` is the title of whose updates, None for the newsletter.
    """

    campaign: str | None
    reach: segments.Reach


@bp.get("")
@needs(Permission.LOOK)
def index() -> str:
    every = keeping.every()
    return show(
        "staff/segments.html",
        _("Segments"),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        segments=every,
        words={one.id: segment_words.of(one.definition) for one in every},
    )


@bp.get("/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    segment = found(Segment, id)
    return show(
        "staff/segment.html",
        segment.name,
        *_crumbs(),
        segment=segment,
        words=segment_words.of(segment.definition),
        **_who(segment.definition, None),
    )


@bp.get("/new")
@needs(Permission.WRITE)
def ask_new() -> str:
    """An empty form, or with ?mailing=7 one that shows whom that mailing goes to."""
    mailing = _mailing(request.args.get("mailing"))
    return _form(Builder(Definition.read(mailing.segment if mailing else EVERYONE)), None, mailing)


@bp.post("/new")
@needs(Permission.WRITE)
def create() -> Any:
    return _kept(None, _mailing(request.form.get("mailing")))


@bp.get("/<int:id>/edit")
@needs(Permission.WRITE)
def ask(id: int) -> str:
    segment = found(Segment, id)
    return _form(Builder(Definition.read(segment.definition), segment.name), segment, None)


@bp.post("/<int:id>/edit")
@needs(Permission.WRITE)
def change(id: int) -> Any:
    return _kept(found(Segment, id), None)


@bp.post("/count")
@needs(Permission.WRITE)
def count() -> Any:
    """How many the form means as it is filled in now: a piece of the page, for scripts."""
    builder, mailing = Builder(), _mailing(request.form.get("mailing"))
    definition = builder.read()
    who = _who(definition.stored(), mailing) if definition else {}
    return render_template("staff/segment_reach.html", **who, **_may()), 200 if who else 400


@bp.post("/<int:id>/drop")
@needs(Permission.WRITE)
def drop(id: int) -> Response:
    keeping.drop(found(Segment, id), me(), datetime.now(UTC))
    db.session.commit()
    flash(_("The segment is gone. Mailings that were given it go to the same people as before."))
    return redirect(url_for("staff.segments.index"))


@bp.post("/for/<int:id>")
@needs(Permission.WRITE)
def give(id: int) -> Response:
    """Send a mailing to one of the segments that are kept, or to whom it goes by itself."""
    mailing = found(Mailing, id)
    return _given(mailing, chosen(request.form.get("segment", ""), mailing.update))


def chosen(number: str, update: Update) -> Stored:
    """The definition of the segment of this number; for none of whoever an update is for."""
    segment = db.session.get(Segment, int(number)) if number.isdecimal() else None
    if segment is not None:
        return segment.definition
    return {"campaign": update.campaign_id} if update.campaign_id else EVERYONE


def _kept(segment: Segment | None, mailing: Mailing | None) -> Any:
    builder, now = Builder(), datetime.now(UTC)
    definition, name = builder.read(), line(builder.name.name)
    only_count = request.form.get("do") == "count"
    if not name and mailing is None and not only_count:
        builder.name.refuse("name", _("Give it a name."))
    if definition is None or builder.wrong() or only_count:
        who = _who(definition.stored(), mailing) if definition else {}
        page = _form(builder, segment, mailing, **who)
        return page, 400 if builder.wrong() else 200
    if name:
        with builder.name.refusing({keeping.NameTaken: "name"}):
            segment = keeping.keep(name, definition, me(), now, segment)
        if builder.wrong():
            return _form(builder, segment, mailing), 400
    if mailing is not None:
        return _given(mailing, definition.stored())
    db.session.commit()
    flash(_("The segment is kept."))
    return redirect(url_for("staff.segments.one", id=segment.id if segment else 0))


def _given(mailing: Mailing, definition: Stored) -> Response:
    again = mailing.approved_at is not None
    said = _("The mailing goes to these people.")
    if again:
        said = _("The mailing goes to these people, once it is approved again.")
    try:
        mailings.change_segment(mailing, definition, me(), datetime.now(UTC))
    except mailings.NotAllowed as refusal:
        abort(403, str(refusal))
    except mailings.Refused as refusal:
        db.session.rollback()
        said = str(refusal)
    db.session.commit()
    flash(said)
    return redirect(url_for("staff.mailings.one", id=mailing.id))


def _form(builder: Builder, segment: Segment | None, mailing: Mailing | None, **who: Any) -> str:
    if not who and not builder.wrong():
        definition = segment.definition if segment else mailing.segment if mailing else EVERYONE
        who = _who(definition, mailing)
    title = segment.name if segment else _("A new segment")
    if mailing is not None:
        title = _("Who gets “%(subject)s”", subject=sendings.subject(mailing))
    return show(
        "staff/segment_form.html",
        title,
        *_crumbs(),
        builder=builder,
        segment=segment,
        mailing=mailing,
        **who,
    )


def _who(definition: Stored, mailing: Mailing | None) -> dict[str, Any]:
    """Counts for each purpose that makes sense, and some of the people for the first."""
    now, counted = datetime.now(UTC), []
    purposes = _purposes(Definition.read(definition), mailing)
    titles = segment_words.campaigns()
    for purpose, campaign_id in purposes:
        reach = segments.reach(definition, purpose, campaign_id, now)
        counted.append(Counted(titles.get(campaign_id or 0), reach))
    names = me().may(Permission.SEE_DONORS)
    people = segments.people(definition, *purposes[0], now, SHOWN) if names else []
    return {"counted": counted, "people": people}


def _purposes(definition: Definition, mailing: Mailing | None) -> list[tuple[Purpose, int | None]]:
    if mailing is not None:
        return [(mailing.purpose, mailing.update.campaign_id)]
    about = definition.include.campaigns
    updates: list[tuple[Purpose, int | None]] = [(Purpose.UPDATES, id) for id in about[:3]]
    return [*updates, (Purpose.NEWSLETTER, None)]


def _mailing(number: str | None) -> Mailing | None:
    return found(Mailing, int(number)) if number and number.isdecimal() else None


def _may() -> dict[str, Any]:
    return {"may": lambda name: me().may(Permission[name])}


def _crumbs() -> tuple[tuple[str, str], ...]:
    return (
        (_("Updates & mailings"), url_for("staff.updates.index")),
        (_("Segments"), url_for("staff.segments.index")),
    )
