"""Mailings: reviewed, approved by another, given an hour, watched letter by letter."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from campaigns import (
    addressing,
    composition,
    keeping,
    letterbook,
    mailings,
    returns,
    segments,
)
from campaigns.db import db
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Permission, Staff
from campaigns.web.staff import letter_words, scheduling, segment_words, sendings
from campaigns.web.staff.forms import (
    LANGUAGES,
    Form,
    longest,
    required,
)
from campaigns.web.staff.page import found, show
from campaigns.web.staff.sandbox import sandboxed
from campaigns.web.staff.scheduling import Departures, HourForm
from campaigns.web.staff.session import me, needs

bp = Blueprint("mailings", __name__, url_prefix="/mailings")

# step → (the verb, what it says afterwards). Each verb asks for the permission of its own.
STEPS: dict[str, tuple[Callable[[Mailing, Staff, datetime], None], Any]] = {
    "submit": (mailings.submit, _l("The mailing waits for approval.")),
    "pause": (mailings.pause, _l("The mailing is paused. Letters in hand are finished.")),
    "resume": (mailings.resume, _l("The mailing goes on.")),
    "cancel": (mailings.cancel, _l("The mailing is cancelled.")),
}


class NoteForm(Form):
    note = TextAreaField(
        _l("What to change"),
        [required(_l("Write what to change.")), longest(1000)],
        render_kw={"rows": 3},
    )


@bp.get("/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    return _page(found(Mailing, id))


@bp.post("/<int:id>/<any(submit, pause, resume, cancel):to>")
@needs(Permission.LOOK)
def step(id: int, to: str) -> Response:
    """A step that needs nothing but a click; its verb refuses those who may not take it."""
    mailing, (verb, said) = found(Mailing, id), STEPS[to]
    return _stepped(mailing, lambda now: verb(mailing, me(), now), str(said))


@bp.post("/<int:id>/approve")
@needs(Permission.APPROVE)
def approve(id: int) -> Response:
    mailing = found(Mailing, id)
    text_of = _moment(request.form.get("text_of", ""))
    return _stepped(
        mailing,
        lambda now: mailings.approve(mailing, me(), now, text_of=text_of),
        _("Approved. Now give it an hour."),
    )


@bp.post("/<int:id>/send-back")
@needs(Permission.APPROVE)
def send_back(id: int) -> Any:
    mailing, form = found(Mailing, id), NoteForm()
    if not form.validate():
        return _page(mailing, note=form), 400
    note = form.note.data.strip()
    return _stepped(
        mailing,
        lambda now: mailings.send_back(mailing, note, me(), now),
        _("It is back with its author."),
    )


@bp.post("/<int:id>/schedule")
@needs(Permission.SEND)
def schedule(id: int) -> Any:
    """Keep the hour, or with `look` only show when letters would leave."""
    mailing, form, now = found(Mailing, id), HourForm(), datetime.now(UTC)
    plan = scheduling.read(form, mailing, now)
    if plan is not None and request.form.get("look"):
        return _page(mailing, hour=form, leaving=scheduling.departures(mailing, plan, now))
    if plan is not None:
        with form.refusing({mailings.Refused: "at"}):
            scheduling.keep(plan, mailing, now)
    if form.errors:
        return _page(mailing, hour=form), 400
    db.session.commit()
    flash(_("The hour is kept."))
    return redirect(url_for("staff.mailings.one", id=id))


@bp.get("/<int:id>/preview/<locale>")
@needs(Permission.LOOK)
def preview(id: int, locale: str) -> Response:
    """The letter in a language: as it was frozen, before that as the update stands now."""
    mailing = found(Mailing, id)
    if mailing.texts:
        frozen = mailing.text(locale, locale)
        subject, body, locale = frozen.subject, frozen.body, frozen.locale
    else:
        written = mailing.update.text(locale, locale)
        subject, body, locale = written.title, written.body, written.locale
    now = datetime.now(UTC)
    return sandboxed(composition.preview(mailing.update, (subject, body), locale, now).html)


def _page(
    mailing: Mailing,
    hour: HourForm | None = None,
    note: NoteForm | None = None,
    leaving: Departures | None = None,
) -> str:
    now, about = datetime.now(UTC), mailing.update.campaign_id
    return show(
        "staff/mailing.html",
        sendings.subject(mailing),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        (sendings.title(mailing.update), url_for("staff.updates.one", id=mailing.update_id)),
        mailing=mailing,
        words=segment_words.of(mailing.segment),
        segments=keeping.every(),
        reach=segments.reach(mailing.segment, mailing.purpose, about, now),
        count=sendings.count(mailing),
        became=letter_words.became(letterbook.counts(mailing)),
        skipped=[(letter_words.reason(why), number) for why, number in mailing.skipped.items()],
        returned=returns.counts(mailing),
        author=sendings.named(mailing.author_id),
        approver=sendings.named(mailing.approved_by),
        mine=mailing.is_by(me().id) and not _alone(),
        text_of=mailing.update.changed_at.isoformat(),
        locales=sendings.languages(mailing.texts or mailing.update.texts),
        languages=LANGUAGES,
        hour=hour or scheduling.form_of(mailing, now),
        leaving=leaving or scheduling.planned(mailing, now),
        looking=leaving is not None,
        wall=scheduling.wall(mailing),
        waiting=addressing.waiting(mailing, now),
        note=note or NoteForm(formdata=None),
        zone=me().timezone,
    )


def _stepped(mailing: Mailing, verb: Callable[[datetime], None], said: str) -> Response:
    try:
        verb(datetime.now(UTC))
    except mailings.NotAllowed as refusal:
        abort(403, str(refusal))
    except mailings.Refused as refusal:
        db.session.rollback()
        said = str(refusal)
    db.session.commit()
    flash(said)
    return redirect(url_for("staff.mailings.one", id=mailing.id))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _alone() -> bool:
    return (db.session.scalar(select(func.count(Staff.id)).where(Staff.active)) or 0) < 2
