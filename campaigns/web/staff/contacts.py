"""Contacts: a file of people who agreed to be written to, seen row by row before any is kept."""

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from campaigns import contacts, stored
from campaigns.contact_verdicts import About, Judged, Verdict
from campaigns.contacts import KEPT, Basis, Changed, NotOpen
from campaigns.db import db
from campaigns.files import contacts as files
from campaigns.files.bad import BadFile
from campaigns.files.pasted import MissingColumn, NoTable, TooManyRows, UnknownColumn
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.consent import Purpose
from campaigns.model.contact_import import ContactImport, ContactImportState
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import paging
from campaigns.web.staff.forms import DayField, Form, MultiCheckboxField, longest, required
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("contacts", __name__, url_prefix="/contacts")

NEWSLETTER = "newsletter"
MOST_SHOWN = 300  # rows of a preview; what needs a look comes first
# Words, look and sign of each verdict's tag.
VERDICTS = {
    Verdict.INVALID: (_l("no mail address"), "bad", "!"),
    Verdict.BAD: (_l("cannot be read"), "bad", "!"),
    Verdict.SUPPRESSED: (_l("gets nothing: left, bounced, complained or erased"), "warn", "×"),
    Verdict.DECLINED: (_l("said no themselves"), "warn", "×"),
    Verdict.REPEATED: (_l("stands above already"), "", "="),
    Verdict.NEW: (_l("new"), "good", "+"),
    Verdict.AGREES: (_l("known, agrees anew"), "good", "+"),
    Verdict.KNOWN: (_l("known, agreed before"), "", "="),
}
STATES = {
    ContactImportState.REVIEW: _l("to review"),
    ContactImportState.COMMITTED: _l("kept"),
    ContactImportState.DISCARDED: _l("discarded"),
}


class ContactsForm(Form):
    file = FileField(
        _l("File"),
        description=_l(
            "CSV or XLSX, at most 2 MB. A first row names the columns: address, and if known name,"
            " language, time zone, place, tags."
        ),
    )
    purposes = MultiCheckboxField(_l("They agreed to"))
    asked_by = StringField(_l("Who asked them"), [required(_l("Write who asked.")), longest(200)])
    agreed_on = DayField(_l("On which day"), [required(_l("Write a day such as 2026-11-22."))])
    how = StringField(
        _l("How they agreed"),
        [required(_l("Write how they agreed.")), longest(500)],
        description=_l("Such as: paper list at the spring fair, kept in the office."),
    )
    words = TextAreaField(
        _l("The words they agreed to"),
        [required(_l("Write the words, as they stood on the list or form.")), longest(5000)],
        render_kw={"rows": 3},
    )

    def basis(self) -> Basis:
        return Basis(
            self.asked_by.data.strip(),
            self.agreed_on.data,
            self.how.data.strip(),
            self.words.data.strip(),
            tuple(map(_about, self.purposes.data)),
        )


@bp.get("")
@needs(Permission.SEE_DONORS)
def index() -> str:
    return _list(_form())


@bp.post("")
@needs(Permission.SEE_DONORS)
def upload() -> Any:
    form, now = _form(), datetime.now(UTC)
    good = form.validate()
    if not form.purposes.data and not form.purposes.errors:
        form.refuse("purposes", _("Choose at least one."))
    if good and form.agreed_on.data > now.astimezone(ZoneInfo(me().timezone)).date():
        form.refuse("agreed_on", _("That day has not come yet."))
    if not form.file.data:
        form.refuse("file", _("Choose a file."))
    if form.errors:
        return _list(form), 400
    try:
        with closing(form.file.data) as file:
            one, _lines = contacts.add(file.stream, file.filename or "", form.basis(), now, me())
            contacts.keep(one, stored.keep(file.stream, now, file.mimetype or "text/csv"))
    except (BadFile, stored.Nothing) as error:
        db.session.rollback()
        form.refuse("file", _told(error))
        return _list(form), 400
    db.session.commit()
    return redirect(url_for("staff.contacts.one", id=one.id))


@bp.get("/<int:id>")
@needs(Permission.SEE_DONORS)
def one(id: int) -> str:
    return _page(found(ContactImport, id))


@bp.post("/<int:id>/commit")
@needs(Permission.SEE_DONORS)
def commit(id: int) -> Any:
    one, now = found(ContactImport, id), datetime.now(UTC)
    try:
        contacts.commit(one, contacts.lines_of(one), _shown(), now, me())
    except Changed:
        db.session.rollback()
        flash(_("Something changed since you looked. Please look again; nothing was kept."))
        return redirect(url_for("staff.contacts.one", id=id))
    except NotOpen:
        abort(409)
    db.session.commit()
    flash(_("The contacts are kept."))
    return redirect(url_for("staff.contacts.one", id=id))


@bp.post("/<int:id>/discard")
@needs(Permission.SEE_DONORS)
def discard(id: int) -> Response:
    try:
        contacts.discard(found(ContactImport, id), datetime.now(UTC), me())
    except NotOpen:
        abort(409)
    db.session.commit()
    flash(_("Nobody of the file was kept."))
    return redirect(url_for("staff.contacts.index"))


def _form() -> ContactsForm:
    form = ContactsForm()
    open_ = select(Campaign).where(
        Campaign.state.not_in((CampaignState.DRAFT, CampaignState.CLOSED))
    )
    campaigns = db.session.scalars(open_.order_by(Campaign.id.desc()))
    updates = [
        (str(row.id), _("updates about “%(title)s”", title=row.text(language.current()).title))
        for row in campaigns
    ]
    form.file.flags.required = True
    form.purposes.choices = [(NEWSLETTER, _("our newsletter")), *updates]
    return form


def _about(chosen: str) -> About:
    return (Purpose.NEWSLETTER, None) if chosen == NEWSLETTER else (Purpose.UPDATES, int(chosen))


def _shown() -> dict[str, int]:
    """How many rows had which verdict on the page whose button was pressed."""
    try:
        shown = json.loads(request.form.get("shown", ""))
    except ValueError:
        abort(400)
    return shown if isinstance(shown, dict) else abort(400)


def _list(form: ContactsForm) -> str:
    return show(
        "staff/contacts.html",
        _("Contacts by file"),
        (_("Donors"), url_for("staff.donors.index")),
        form=form,
        table=paging.newest_first(select(ContactImport), ContactImport.id, {}),
        states=STATES,
        kept=lambda one: sum(one.counts.get(verdict, 0) for verdict in KEPT),
    )


def _page(one: ContactImport) -> str:
    open_ = one.state is ContactImportState.REVIEW
    rows = contacts.judged(one, contacts.lines_of(one)) if open_ else []
    counts = contacts.counted(rows) if open_ else one.counts
    first = list(VERDICTS)
    return show(
        "staff/contact_import.html",
        one.name or _("Contacts by file"),
        (_("Contacts by file"), url_for("staff.contacts.index")),
        one=one,
        state=STATES[one.state],
        counts=counts,
        kept=sum(counts.get(verdict, 0) for verdict in KEPT),
        rows=sorted(rows, key=lambda row: first.index(row.verdict))[:MOST_SHOWN],
        shown=json.dumps(counts),
        verdicts=VERDICTS,
        cells=_cells,
        purposes=[_in_words(about) for about in contacts.purposes(one)],
    )


def _cells(row: Judged) -> list[str]:
    """What the row says besides its address."""
    return [row.line[name] for name in files.HEADINGS if name != "address" and row.line[name]]


def _in_words(about: About) -> str:
    purpose, campaign_id = about
    if purpose is Purpose.NEWSLETTER:
        return str(_("our newsletter"))
    title = db.session.get_one(Campaign, campaign_id).text(language.current()).title
    return str(_("updates about “%(title)s”", title=title))


def _told(error: Exception) -> str:
    """Why a file as a whole is none, in the reader's language."""
    columns = ", ".join(files.HEADINGS)
    match error:
        case UnknownColumn():
            return _("No column is called “%(name)s”. There are: %(columns)s.",
                     name=error.name, columns=columns)  # fmt: skip
        case MissingColumn():
            return _("The column “%(name)s” must be there once.", name=error.name)
        case TooManyRows():
            return _("At most %(most)s rows are read at once. Cut the table in two.",
                     most=files.MOST)  # fmt: skip
        case NoTable():
            return _("Name the columns in the first row: %(columns)s.", columns=columns)
        case stored.Nothing():
            return _("The file is empty.")
        case _other:
            return _("This is no table that can be read. Save it as CSV or XLSX.")
