"""Imports: files handed in, and the list of those that were."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from campaigns import imports, stored
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.model.imported import Import, ImportState
from campaigns.model.staff import Permission
from campaigns.platforms import bills, registry
from campaigns.web.staff import paging, reading_forms, reasons
from campaigns.web.staff.page import ledger_tabs, show
from campaigns.web.staff.reading_forms import GUESS, TOO_LARGE, UploadForm
from campaigns.web.staff.session import me, needs, person

bp = Blueprint("imports", __name__, url_prefix="/imports")

STATES = {
    ImportState.READING: _l("being read"),
    ImportState.REVIEW: _l("to review"),
    ImportState.FAILED: _l("cannot be read"),
    ImportState.COMMITTING: _l("being booked"),
    ImportState.COMMITTED: _l("booked"),
    ImportState.UNDOING: _l("being undone"),
    ImportState.UNDONE: _l("undone"),
    ImportState.DISCARDING: _l("being discarded"),
    ImportState.DISCARDED: _l("discarded"),
}


@bp.get("")
@needs(Permission.SEE_LEDGER)
def index() -> str:
    return _list(reading_forms.to_hand_in())


@bp.post("")
@needs(Permission.BOOK)
def upload() -> Any:
    form = reading_forms.to_hand_in()
    if not form.validate():
        return _list(form), 400
    upload = form.file.data
    now = datetime.now(UTC)
    # Looking into a large file takes time, in which others want to write.
    db.session.commit()
    try:
        chosen = form.profile.data
        profile = bills.recognise(upload.stream) if chosen == GUESS else chosen
        media_type = upload.mimetype or "application/octet-stream"
        kept = stored.keep(upload.stream, now, media_type, pause=db.session.commit)
    except stored.TooLarge:
        return _list(form, str(TOO_LARGE)), 413
    except stored.Nothing:
        return _list(form, _("The file is empty.")), 400
    except BadFile as error:
        return _list(form, reasons.told(str(error))), 400
    if profile is None:
        return _list(form, _("The file does not look like any export we know.")), 400
    before = imports.of_file(kept)
    one = imports.add(kept, upload.filename, form.reading(profile), now, me())
    db.session.commit()
    if before:
        flash(_("The same file came before, as import %(number)s.", number=before[0].id))
    return redirect(url_for("staff.review.one", id=one.id))


@bp.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Any:
    """The body was refused by its length, unread: the form stands there anew with what to do."""
    staff = person()
    if staff is None or not staff.may(Permission.BOOK):
        return render_template("errors/error.html", code=413, reason=None), 413
    return _list(reading_forms.to_hand_in(empty=True), str(TOO_LARGE)), 413


def _list(form: UploadForm, wrong: str | None = None) -> str:
    """`wrong` is what is the matter with the file."""
    if wrong:
        form.refuse("file", wrong)
    return show(
        "staff/imports.html",
        _("Imports"),
        tabs=ledger_tabs("imports"),
        table=paging.newest_first(select(Import), Import.id, {}),
        states=STATES,
        form=form,
        labels={name: _(one.label) for name, one in registry.profiles().items()},
        sources=reading_forms.sources(),
    )
