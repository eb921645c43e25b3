"""Imports: files handed in, reviewed row by row, committed and undone."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import FileField, StringField, TextAreaField
from wtforms.validators import ValidationError

from campaigns import imports, stored
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.imports import NotCommitted, NotOpen, Reading
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry, EntryKind
from campaigns.model.imported import (
    Decision,
    Import,
    ImportGiver,
    ImportRow,
    ImportState,
    RowVerdict,
    SavedMapping,
)
from campaigns.model.staff import Permission
from campaigns.money import Money
from campaigns.platforms import bills, generic, registry
from campaigns.platforms.mapping import Mapping
from campaigns.web.staff import choices, masked, paging
from campaigns.web.staff.forms import Form, longest, offer, required, select_field
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("imports", __name__, url_prefix="/imports")

STATES = {
    ImportState.READING: _l("being read"),
    ImportState.REVIEW: _l("to review"),
    ImportState.FAILED: _l("cannot be read"),
    ImportState.COMMITTING: _l("being booked"),
    ImportState.COMMITTED: _l("booked"),
    ImportState.UNDOING: _l("being undone"),
    ImportState.UNDONE: _l("undone"),
}
VERDICTS = {
    RowVerdict.NEW: _l("new"),
    RowVerdict.BOOKED: _l("already booked"),
    RowVerdict.DIFFERS: _l("differs"),
    RowVerdict.AMBIGUOUS: _l("ambiguous"),
    RowVerdict.NOT_A_DONATION: _l("not a donation"),
    RowVerdict.UNREADABLE: _l("unreadable"),
}
CHARSETS = {"utf-8-sig": "UTF-8 (BOM)", "utf-8": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}
GUESS, EACH = "guess", "each"
WORKING = (ImportState.READING, ImportState.COMMITTING, ImportState.UNDOING)


class ReadingForm(Form):
    """How a file is to be read."""

    profile = select_field(_l("Kind of export"))
    listing = select_field(_l("Its money belongs to"))
    source = StringField(
        _l("Account the money came through"),
        [longest(100)],
        description=_l(
            "Asked only where the file does not say it: the name of the webhook that tells of the"
            " same money, so that nothing is booked twice."
        ),
        render_kw={"list": "sources", "autocomplete": "off", "spellcheck": "false"},
    )
    mapping = select_field(_l("Saved mapping, for any other table"))

    def prepare(self) -> None:
        profiles = {name: _(one.label) for name, one in registry.profiles().items()}
        offer(self.profile, {GUESS: _("Look at the file")} | profiles)
        offer(self.listing, {EACH: _("Each row says itself")} | choices.listings())
        saved = db.session.scalars(select(SavedMapping).order_by(SavedMapping.name))
        offer(self.mapping, {"": _("None")} | {str(one.id): one.name for one in saved})

    def reading(self, profile: str, **more: Any) -> Reading:
        mapping = self.mapping.data
        saved = db.session.get(SavedMapping, int(mapping)) if mapping else None
        return Reading(
            generic.NAME if saved else profile,
            source=(self.source.data or "").strip(),
            listing_id=None if self.listing.data == EACH else int(self.listing.data),
            mapping=saved.mapping if saved else more.pop("mapping", None),
            **{name: value for name, value in more.items() if name != "mapping"},
        )


class UploadForm(ReadingForm):
    file = FileField(
        _l("File"),
        description=_l("CSV, XLSX, or a ZIP that holds CSV. At most 64 MB and a million rows."),
        render_kw={"accept": ".csv,.txt,.xlsx,.zip", "required": True},
    )

    def validate_file(self, field: FileField) -> None:
        if not getattr(field.data, "filename", ""):
            raise ValidationError(_("Choose a file."))


class AgainForm(ReadingForm):
    charset = select_field(_l("Charset"))
    member = select_field(_l("File in the archive, or sheet"))


class UndoForm(Form):
    reason = TextAreaField(
        _l("Reason"),
        [required(_l("Write why. It stands beside the entries.")), longest(500)],
        render_kw={"rows": 2},
    )


@bp.get("")
@needs(Permission.SEE_LEDGER)
def index() -> str:
    return _list(_upload_form())


@bp.post("")
@needs(Permission.BOOK)
def upload() -> Any:
    form = _upload_form()
    if not form.validate():
        return _list(form), 400
    upload = form.file.data
    now = datetime.now(UTC)
    try:
        chosen = form.profile.data
        profile = bills.recognise(upload.stream) if chosen == GUESS else chosen
        kept = stored.keep(upload.stream, now, upload.mimetype or "application/octet-stream")
    except (stored.TooLarge, stored.Nothing, BadFile) as error:
        form.refuse("file", _(str(error)))
        return _list(form), 400
    if profile is None:
        form.refuse("file", _("The file does not look like any export we know."))
        return _list(form), 400
    before = imports.of_file(kept)
    one = imports.add(kept, upload.filename, form.reading(profile), now, me())
    db.session.commit()
    if before:
        flash(_("The same file came before, as import %(number)s.", number=before[0].id))
    return redirect(url_for("staff.imports.one", id=one.id))


@bp.get("/<int:id>")
@needs(Permission.SEE_LEDGER)
def one(id: int) -> str:
    return _review(found(Import, id), None, UndoForm())


@bp.post("/<int:id>/read")
@needs(Permission.BOOK)
def read_again(id: int) -> Any:
    this = found(Import, id)
    form = _again_form(this)
    if not form.validate():
        return _review(this, form, UndoForm()), 400
    profile = this.profile if form.profile.data == GUESS else form.profile.data
    reading = form.reading(
        profile,
        mapping=this.mapping if profile == generic.NAME else None,
        charset=None if form.charset.data == GUESS else form.charset.data,
        member=form.member.data or None,
    )
    return _done(this, lambda now: imports.read_again(this, reading, now, me()))


@bp.post("/<int:id>/rows")
@needs(Permission.BOOK)
def decide(id: int) -> Any:
    this = found(Import, id)
    positions = [int(text) for text in request.form.getlist("row") if _is_number(text)]
    decision = _decision()

    def do(now: datetime) -> None:
        met = imports.decide(this, positions, decision, now, me())
        if met < len(positions):
            left = len(positions) - met
            flash(
                ngettext(
                    "One row cannot be taken as it is.",
                    "%(num)d rows cannot be taken as they are.",
                    left,
                )
            )

    return _done(this, do)


@bp.post("/<int:id>/all")
@needs(Permission.BOOK)
def decide_all(id: int) -> Any:
    this = found(Import, id)
    verdict, kind = request.form.get("verdict", ""), request.form.get("kind", "")
    if verdict not in list(RowVerdict) or kind not in ["", *EntryKind]:
        abort(400)
    chosen, of = RowVerdict(verdict), EntryKind(kind) if kind else None
    decision = _decision()
    return _done(this, lambda now: imports.decide_all(this, chosen, of, decision, now, me()))


@bp.post("/<int:id>/commit")
@needs(Permission.BOOK)
def commit(id: int) -> Any:
    this = found(Import, id)
    return _done(this, lambda now: imports.commit(this, now, me()))


@bp.post("/<int:id>/undo")
@needs(Permission.BOOK)
def undo(id: int) -> Any:
    this, form = found(Import, id), UndoForm()
    if not form.validate():
        return _review(this, None, form), 400
    return _done(this, lambda now: imports.undo(this, form.reason.data, now, me()))


@bp.get("/<int:id>/rows/<int:position>")
@needs(Permission.SEE_LEDGER)
def row(id: int, position: int) -> str:
    this = found(Import, id)
    that = db.session.get(ImportRow, (id, position)) or abort(404)
    giver = db.session.get(ImportGiver, (id, position))
    became = select(Entry).where(
        Entry.import_id == id, Entry.import_row == position, Entry.reverses.is_(None)
    )
    return show(
        "staff/import_row.html",
        _("Row %(number)s", number=that.number),
        (_("Imports"), url_for("staff.imports.index")),
        (this.name, url_for("staff.imports.one", id=id)),
        this=this,
        row=that,
        verdict=VERDICTS[that.verdict],
        reason=told(that.reason),
        giver=_shown(giver) if giver else None,
        entry=db.session.scalar(became),
        cells=_cells(this, that.number) if me().may(Permission.SEE_DONORS) else None,
        listing=choices.names().get(that.listing_id or 0),
    )


def told(reason: str | None) -> str:
    """A row's reason in the reader's language; what stands behind a colon is left as it is."""
    sentence, colon, detail = (reason or "").partition(": ")
    return _(sentence) + (f"{_(': ')}{detail}" if colon else "") if sentence else ""


def _upload_form() -> UploadForm:
    form = UploadForm()
    form.prepare()
    form.profile.data = form.profile.data or GUESS
    form.listing.data = form.listing.data or EACH
    return form


def _again_form(this: Import) -> AgainForm:
    listing = str(this.listing_id) if this.listing_id else EACH
    given = {"profile": this.profile, "listing": listing, "source": this.source}
    seen = this.seen or {}
    form = AgainForm(**given, charset=this.charset or GUESS, member=this.member or "")
    form.prepare()
    named = {name: CHARSETS.get(name, name) for name in (*seen.get("charsets", ()), *CHARSETS)}
    offer(form.charset, {GUESS: _("Look at the file")} | named)
    offer(form.member, {"": _("The first")} | {name: name for name in seen.get("members", ())})
    return form


def _currency(this: Import) -> str:
    """The currency of the sums that the file states."""
    return str((this.mapping or {}).get("currency") or registry.profile(this.profile).currency)


def _list(form: UploadForm) -> str:
    return show(
        "staff/imports.html",
        _("Imports"),
        tabs=ledger_tabs("imports"),
        table=paging.newest_first(select(Import), Import.id, {}),
        states=STATES,
        form=form,
        labels={name: _(one.label) for name, one in registry.profiles().items()},
        sources=_sources(),
    )


def _review(this: Import, form: AgainForm | None, undoing: UndoForm) -> str:
    chosen = request.args.get("verdict", "")
    verdict = RowVerdict(chosen) if chosen in list(RowVerdict) else None
    looked = this.state is not ImportState.READING
    at_review = this.state is ImportState.REVIEW
    table = _rows(this, verdict) if looked else None
    return show(
        "staff/import.html",
        this.name,
        (_("Imports"), url_for("staff.imports.index")),
        this=this,
        state=STATES[this.state],
        working=this.state in WORKING,
        counts=imports.counts(this) if looked else None,
        effects=_effects(this) if at_review else [],
        verdicts=VERDICTS,
        verdict=verdict,
        table=table,
        givers=_givers(this, table.rows) if table else {},
        told=told,
        said={(rule[0], rule[1]): rule[2] for rule in this.decisions},
        names=choices.names(),
        again=form or (_again_form(this) if this.state in imports.OPEN else None),
        undoing=undoing,
        cents=partial(Money, currency=_currency(this)),
        label=_(registry.profile(this.profile).label),
        charset=CHARSETS.get(this.charset or "", this.charset),
        is_generic=this.profile == generic.NAME,
        sources=_sources(),
        kinds=list(EntryKind),
    )


def _effects(this: Import) -> list[dict[str, Any]]:
    names = choices.names()
    return [
        {
            "name": names[effect.listing.id],
            "url": url_for("staff.listings.one", id=effect.listing.id),
            "rows": effect.rows,
            "now": effect.now,
            "then": effect.then,
            "change": effect.then - effect.now,
        }
        for effect in imports.effects(this)
    ]


def _rows(this: Import, verdict: RowVerdict | None) -> paging.Page:
    query = select(ImportRow).where(ImportRow.import_id == this.id)
    if verdict is not None:
        query = query.where(ImportRow.verdict == verdict)
    kept = {"id": this.id, "verdict": verdict.value if verdict else ""}
    return paging.in_order(query, ImportRow.position, "staff.imports.one", kept)


def _givers(this: Import, rows: list[ImportRow]) -> dict[int, str | None]:
    """Names of who gave, by the row's position."""
    positions = [row.position for row in rows]
    found = db.session.scalars(
        select(ImportGiver).where(
            ImportGiver.import_id == this.id, ImportGiver.position.in_(positions)
        )
    )
    return {giver.position: _shown(giver)["name"] for giver in found}


def _shown(giver: ImportGiver) -> dict[str, str | None]:
    """Who gave: in full only for those who may see donors."""
    if me().may(Permission.SEE_DONORS):
        return {"name": giver.name, "address": giver.email, "message": giver.message}
    name, address = masked.name(giver.name), masked.address(giver.email)
    return {"name": name, "address": address, "message": None}


def _cells(this: Import, number: int) -> list[tuple[str, str]]:
    """The row as it stands in the file: each heading with its cell."""
    mapping = Mapping.from_json(this.mapping) if this.mapping else None
    try:
        with stored.opened(this.file_id) as file:
            opened = bills.open(
                file, this.profile, charset=this.charset, mapping=mapping, member=this.member
            )
            cells = opened.row(number)
            return [
                (heading, cell.strip())
                for heading, cell in zip(opened.header, cells, strict=False)
                if heading or cell.strip()
            ]
    except (BadFile, LookupError):
        return []


def _sources() -> list[str]:
    return list(
        db.session.scalars(
            select(WebhookEndpoint.source).distinct().order_by(WebhookEndpoint.source)
        )
    )


def _decision() -> Decision | None:
    chosen = request.form.get("decision", "")
    return Decision(chosen) if chosen in list(Decision) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _done(this: Import, do: Any) -> Response:
    """Do it, and show the import again where one was; say so if somebody was quicker."""
    try:
        do(datetime.now(UTC))
        db.session.commit()
    except (NotOpen, NotCommitted):
        db.session.rollback()
        flash(_("The import has moved on meanwhile. This is how it stands now."))
    except imports.NotTakeable:
        db.session.rollback()
        flash(_("Rows that differ are corrected at their entries, one by one."))
    verdict = request.form.get("shown") or None
    return redirect(url_for("staff.imports.one", id=this.id, verdict=verdict))
