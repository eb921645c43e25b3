"""Review: what an import would change, what people decide about it, and its undoing."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from campaigns import imports, reviewing
from campaigns.batches import WORK
from campaigns.db import db
from campaigns.model.entry import EntryKind
from campaigns.model.imported import Decision, Import, ImportRow, ImportState, RowVerdict
from campaigns.model.staff import Permission
from campaigns.money import Money
from campaigns.platforms import generic, registry
from campaigns.platforms.mapping import FIELDS
from campaigns.reviewing import NotTakeable
from campaigns.steps import NotCommitted, NotOpen
from campaigns.web.staff import choices, import_rows, paging
from campaigns.web.staff.forms import Form, longest, required
from campaigns.web.staff.import_rows import VERDICTS
from campaigns.web.staff.imports import STATES
from campaigns.web.staff.page import found, show
from campaigns.web.staff.reading_forms import CHARSETS, GUESS, AgainForm, sources, to_read_again
from campaigns.web.staff.session import me, needs

bp = Blueprint("review", __name__, url_prefix="/imports")
ROWLESS = (ImportState.READING, ImportState.DISCARDING, ImportState.DISCARDED)


class UndoForm(Form):
    reason = TextAreaField(
        _l("Reason"),
        [required(_l("Write why. It stands beside the entries.")), longest(500)],
        render_kw={"rows": 2},
    )


class DiscardForm(Form):
    reason = TextAreaField(
        _l("Reason"),
        [required(_l("Write why. It is kept with the import.")), longest(500)],
        render_kw={"rows": 2},
    )


@bp.get("/<int:id>")
@needs(Permission.SEE_LEDGER)
def one(id: int) -> str:
    return _review(found(Import, id))


@bp.post("/<int:id>/read")
@needs(Permission.BOOK)
def read_again(id: int) -> Any:
    this = found(Import, id)
    form = to_read_again(this)
    if not form.validate():
        return _review(this, again=form), 400
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
        met = reviewing.decide(this, positions, decision, now, me())
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
    return _done(this, lambda now: reviewing.decide_all(this, chosen, of, decision, now, me()))


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
        return _review(this, undoing=form), 400
    return _done(this, lambda now: imports.undo(this, form.reason.data, now, me()))


@bp.post("/<int:id>/discard")
@needs(Permission.BOOK)
def discard(id: int) -> Any:
    this, form = found(Import, id), DiscardForm()
    if not form.validate():
        return _review(this, discarding=form), 400
    return _done(this, lambda now: imports.discard(this, form.reason.data, now, me()))


def _currency(this: Import) -> str:
    """The currency of the sums that the file states."""
    return str((this.mapping or {}).get("currency") or registry.profile(this.profile).currency)


def _review(
    this: Import,
    again: AgainForm | None = None,
    undoing: UndoForm | None = None,
    discarding: DiscardForm | None = None,
) -> str:
    chosen = request.args.get("verdict", "")
    verdict = RowVerdict(chosen) if chosen in list(RowVerdict) else None
    looked = this.state not in ROWLESS
    at_review = this.state is ImportState.REVIEW
    table = _rows(this, verdict) if looked else None
    return show(
        "staff/import.html",
        this.name,
        (_("Imports"), url_for("staff.imports.index")),
        this=this,
        state=STATES[this.state],
        working=this.state in WORK,
        counts=reviewing.counts(this) if looked else None,
        effects=_effects(this) if at_review else [],
        verdicts=VERDICTS,
        verdict=verdict,
        table=table,
        givers=import_rows.givers(this, table.rows) if table else {},
        said={(rule[0], rule[1]): rule[2] for rule in this.decisions},
        names=choices.names(),
        again=again or (to_read_again(this) if this.state in imports.OPEN else None),
        undoing=undoing or UndoForm(),
        discarding=(discarding or DiscardForm()) if this.state in imports.UNBOOKED else None,
        cents=partial(Money, currency=_currency(this)),
        label=_(registry.profile(this.profile).label),
        charset=CHARSETS.get(this.charset or "", this.charset),
        missing=_missing(this),
        is_generic=this.profile == generic.NAME,
        sources=sources(),
        kinds=list(EntryKind),
    )


def _missing(this: Import) -> list[str]:
    """What no column is known for, where the file could not be read because of it."""
    missing = (this.seen or {}).get("missing", ()) if this.state is ImportState.FAILED else ()
    return [_(field.label) for field in FIELDS if field.name in missing]


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
        for effect in reviewing.effects(this)
    ]


def _rows(this: Import, verdict: RowVerdict | None) -> paging.Page:
    query = select(ImportRow).where(ImportRow.import_id == this.id)
    if verdict is not None:
        query = query.where(ImportRow.verdict == verdict)
    kept = {"id": this.id, "verdict": verdict.value if verdict else ""}
    return paging.in_order(query, ImportRow.position, "staff.review.one", kept)


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
    except NotTakeable:
        db.session.rollback()
        flash(_("Rows that differ are corrected at their entries, one by one."))
    verdict = request.form.get("shown") or None
    return redirect(url_for("staff.review.one", id=this.id, verdict=verdict))
