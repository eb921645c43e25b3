"""Letters one by one: found by state, reason, domain and day; each with its history and deeds."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import StringField

from campaigns import deliveries, letter_reasons, letterbook, returns
from campaigns.db import db
from campaigns.letter_reasons import Reason
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.staff import Permission
from campaigns.web.staff import letter_words, paging, sendings
from campaigns.web.staff.forms import LANGUAGES, Form, line, longest
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("letters", __name__, url_prefix="/mailings")

Crumbs = tuple[tuple[str, str], ...]


class WhyForm(Form):
    """How somebody knows, or why they do it; it goes on record, so it is no place for names."""

    why = StringField(
        _l("Why"),
        [longest(200)],
        description=_l("Stands in the record for good; write no names or addresses."),
    )


@bp.get("/<int:id>/letters")
@needs(Permission.LOOK)
def index(id: int) -> str:
    """The letters of a mailing."""
    return _list(_("Letters"), _crumbs(found(Mailing, id)), {"mailing_id": id})


@bp.get("/letters")
@needs(Permission.LOOK)
def service() -> str:
    """Letters that belong to no mailing: thanks, confirmations, resets, alerts."""
    return _list(_("Single letters"), _crumbs(), {})


@bp.get("/letters/to/<int:id>")
@needs(Permission.SEE_DONORS)
def to(id: int) -> str:
    """Every letter to a person, those to addresses merged into theirs too."""
    donor = found(Donor, id)
    name = donor.name or _("Donor %(number)s", number=donor.id)
    crumbs = (
        (_("Donors"), url_for("staff.donors.index")),
        (name, url_for("staff.donors.one", id=id)),
    )
    return _list(_("Letters"), crumbs, {"donor_id": id})


@bp.get("/letters/<int:id>")
@needs(Permission.LOOK)
def one(id: int) -> str:
    return _page(found(Delivery, id), WhyForm(formdata=None))


@bp.post("/letters/<int:id>/settle")
@needs(Permission.SEND)
def settle(id: int) -> Any:
    """Say what became of a letter of which nobody knew."""
    delivery, form = found(Delivery, id), WhyForm()
    if not form.validate():
        return _page(delivery, form), 400
    sent = request.form.get("sent") == "1"
    try:
        why = line(form.why) or ""
        deliveries.settle_unknown(delivery, sent, me(), datetime.now(UTC), reason=why)
    except deliveries.Refused as refusal:
        flash(str(refusal))
    db.session.commit()
    if request.form.get("from") == "letter":
        return redirect(url_for("staff.letters.one", id=id))
    if delivery.mailing_id is None:
        return redirect(url_for("staff.letters.service", state="unknown"))
    return redirect(url_for("staff.letters.index", id=delivery.mailing_id, state="unknown"))


@bp.post("/letters/<int:id>/resend")
@needs(Permission.SEND)
def resend_one(id: int) -> Any:
    delivery, form = found(Delivery, id), WhyForm()
    if not form.validate():
        return _page(delivery, form), 400
    mailing = found(Mailing, delivery.mailing_id or 0)
    _resend(mailing, letterbook.Sought(mailing_id=mailing.id), form, only=id)
    return redirect(url_for("staff.letters.one", id=id))


@bp.get("/<int:id>/letters/resend")
@needs(Permission.SEND)
def ask_resend(id: int) -> str:
    """How many failed letters would be sent again; nothing happens before that is confirmed."""
    return _confirmation(found(Mailing, id), WhyForm(formdata=None))


@bp.post("/<int:id>/letters/resend")
@needs(Permission.SEND)
def resend(id: int) -> Any:
    """Send again what failed. Unknown letters are settled one by one, never sent again by this."""
    mailing, form = found(Mailing, id), WhyForm()
    if not form.validate():
        return _confirmation(mailing, form), 400
    _resend(mailing, _failed(mailing)[1], form)
    return redirect(url_for("staff.mailings.one", id=id))


def _resend(mailing: Mailing, sought: letterbook.Sought, form: WhyForm, only: int = 0) -> None:
    which = sought.clauses() + ([Delivery.id == only] if only else [])
    why = line(form.why) or ""
    try:
        queued = deliveries.resend(mailing, me(), datetime.now(UTC), which, reason=why)
    except deliveries.Refused as refusal:
        db.session.rollback()
        flash(str(refusal))
    else:
        flash(ngettext("One letter is sent again.", "%(num)d letters are sent again.", queued))
    db.session.commit()


def _failed(mailing: Mailing) -> tuple[dict[str, str], letterbook.Sought]:
    """What was chosen, of the letters that failed."""
    chosen = letter_words.chosen(request.values) | {"state": DeliveryState.FAILED.value}
    return chosen, letter_words.sought(chosen, mailing_id=mailing.id)


def _confirmation(mailing: Mailing, form: WhyForm) -> str:
    chosen, sought = _failed(mailing)
    return show(
        "staff/resend.html",
        _("Send again"),
        *_crumbs(mailing),
        (_("Letters"), url_for("staff.letters.index", id=mailing.id, **_given(chosen))),
        mailing=mailing,
        form=form,
        chosen=_given(chosen),
        reason=letter_words.reason(chosen["reason"]),
        count=letterbook.count(sought),
        unwelcome=letterbook.unwelcome(sought),
        sendable=_sendable(mailing),
    )


def _list(title: str, crumbs: Crumbs, whose: dict[str, int]) -> str:
    chosen = letter_words.chosen(request.args)
    sought = letter_words.sought(chosen, **whose)
    table = paging.newest_first(letterbook.found(sought), Delivery.id, chosen)
    ids = [row.id for row in table.rows]
    mailing = db.session.get(Mailing, whose.get("mailing_id", 0))
    return show(
        "staff/letters.html",
        title,
        *crumbs,
        table=table,
        chosen=chosen,
        whose=whose,
        states=[state.value for state in DeliveryState],
        reasons=[reason.value for reason in Reason],
        state_word=letter_words.state,
        reason_word=letter_words.reason,
        why={id: letter_words.reason(why) for id, why in letterbook.reasons(ids).items()},
        tried=letterbook.attempts(ids),
        address=sendings.address,
        subjects=sendings.subjects(table.rows) if "donor_id" in whose else None,
        back=returns.of(ids),
        again=_again(mailing, chosen, sought),
    )


def _again(mailing: Mailing | None, chosen: dict[str, str], sought: letterbook.Sought) -> str:
    """Where to send again what failed of the letters shown; empty where that cannot be."""
    may = mailing is not None and _sendable(mailing) and me().may(Permission.SEND)
    if mailing is None or not may or chosen["state"] != DeliveryState.FAILED:
        return ""
    return url_for("staff.letters.ask_resend", id=mailing.id, **_given(chosen))


def _page(delivery: Delivery, form: WhyForm) -> str:
    mailing = db.session.get(Mailing, delivery.mailing_id) if delivery.mailing_id else None
    return show(
        "staff/letter.html",
        _("Letter %(number)s", number=delivery.id),
        *_crumbs(mailing),
        delivery=delivery,
        mailing=mailing,
        subject=mailing and mailing.text(delivery.locale, delivery.locale).subject,
        why=letter_words.reason(letterbook.reasons([delivery.id]).get(delivery.id)),
        address=sendings.address(delivery),
        tries=letterbook.attempts([delivery.id])[delivery.id],
        back=returns.of([delivery.id])[delivery.id],
        deeds=letterbook.deeds(delivery),
        named=sendings.named,
        state_word=letter_words.state,
        by_staff=letter_reasons.BY_STAFF,
        languages=LANGUAGES,
        form=form,
        sendable=mailing is not None and _sendable(mailing),
    )


def _sendable(mailing: Mailing) -> bool:
    return mailing.state in (MailingState.SENDING, MailingState.SENT)


def _given(chosen: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if value}


def _crumbs(mailing: Mailing | None = None) -> Crumbs:
    first = (_("Updates & mailings"), url_for("staff.updates.index"))
    if mailing is None:
        return (first,)
    return (
        first,
        (sendings.subject(mailing), url_for("staff.mailings.one", id=mailing.id)),
    )
