"""Mappings: what the columns of a table that we do not know mean, said once and kept by a name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from campaigns import imports, stored
from campaigns.db import db
from campaigns.files.bad import BadFile
from campaigns.imports import Reading
from campaigns.model.entry import EntryKind
from campaigns.model.imported import Import, SavedMapping
from campaigns.model.staff import Permission
from campaigns.platforms import bills, generic
from campaigns.platforms.mapping import FIELDS, BadMapping, Dates, Mapping, Negative
from campaigns.platforms.profile import heading
from campaigns.steps import NotOpen
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.zones import zones

bp = Blueprint("mappings", __name__, url_prefix="/imports")

DATES = {
    Dates.YEAR_FIRST: _l("2026-11-22: the year first"),
    Dates.DAY_FIRST: _l("22/11/2026: the day first"),
    Dates.MONTH_FIRST: _l("11/22/2026: the month first"),
}
NEGATIVE = {
    Negative.REFUND: _l("is a refund"),
    Negative.REFUSED: _l("cannot be read"),
}
LONGEST_NAME, MOST_WORDS = 100, 500


@bp.get("/<int:id>/mapping")
@needs(Permission.BOOK)
def ask(id: int) -> str:
    this = found(Import, id)
    chosen = request.args.get("saved", "")
    saved = db.session.get(SavedMapping, int(chosen)) if _is_number(chosen) else None
    told = saved.mapping if saved else this.mapping
    return _page(this, Mapping.from_json(told) if told else Mapping(), saved.name if saved else "")


@bp.post("/<int:id>/mapping")
@needs(Permission.BOOK)
def say(id: int) -> Any:
    this = found(Import, id)
    name = " ".join(request.form.get("name", "").split())[:LONGEST_NAME]
    try:
        mapping = Mapping.from_json(_told(this))
    except BadMapping as error:
        told = Mapping.from_json(this.mapping) if this.mapping else Mapping()
        return _page(this, told, name, _(str(error))), 400
    now, stored = datetime.now(UTC), mapping.as_json()
    reading = Reading(generic.NAME, this.source, this.listing_id, stored, this.charset, this.member)
    try:
        if name:
            imports.save_mapping(name, stored, now, me())
        imports.read_again(this, reading, now, me())
        db.session.commit()
    except NotOpen:
        db.session.rollback()
        flash(_("The import has moved on meanwhile. This is how it stands now."))
    return redirect(url_for("staff.review.one", id=id))


def _page(this: Import, mapping: Mapping, name: str, error: str | None = None) -> str:
    cells = _first_row(this) if me().may(Permission.SEE_DONORS) else {}
    return show(
        "staff/mapping.html",
        _("What the columns mean"),
        (_("Imports"), url_for("staff.imports.index")),
        (this.name, url_for("staff.review.one", id=this.id)),
        this=this,
        error=error,
        name=name,
        fields=[(field.name, _(field.label)) for field in FIELDS],
        columns=[(text, _meaning(mapping, text), cells.get(text, "")) for text in _header(this)],
        aliases={field: "\n".join(headings) for field, headings in mapping.columns.items()},
        words="\n".join(f"{word} = {kind}" for word, kind in mapping.words.items()),
        mapping=mapping,
        kinds=list(EntryKind),
        dates=DATES,
        negative=NEGATIVE,
        zones=zones(),
        saved=db.session.scalars(select(SavedMapping).order_by(SavedMapping.name)).all(),
    )


def _header(this: Import) -> list[str]:
    """The headings seen in the file."""
    return [text for text in (this.seen or {}).get("header", ()) if text.strip()]


def _first_row(this: Import) -> dict[str, str]:
    """What stands in the file's first row, by heading: an example for whoever says what it is."""
    try:
        with stored.opened(this.file_id) as file:
            opened = bills.open(file, generic.NAME, charset=this.charset, member=this.member)
            return dict(zip(opened.header, next(iter(opened.sample(1)), []), strict=False))
    except BadFile:
        return {}


def _meaning(mapping: Mapping, text: str) -> str:
    """The field that a column of this heading would be read as."""
    plain = heading(text)
    for field, headings in mapping.columns.items():
        if plain in map(heading, headings):
            return field
    return ""


def _told(this: Import) -> dict[str, Any]:
    """The form as a mapping: columns chosen come before the other names of a field."""
    form = request.form
    header = _header(this)
    chosen = [(form.get(f"column-{number}", ""), text) for number, text in enumerate(header)]
    plain = {heading(text) for _field, text in chosen}
    columns = {}
    for field in FIELDS:
        named = [text for meaning, text in chosen if meaning == field.name]
        others = _lines(form.get(f"alias-{field.name}", ""))
        # What stands in this file is said above, so that a column can also lose its meaning.
        others = [text for text in others if heading(text) not in plain]
        columns[field.name] = list(dict.fromkeys(named + others))
    return {
        "columns": columns,
        "words": dict(_pairs(form.get("words", ""))),
        "otherwise": form.get("otherwise", ""),
        "currency": form.get("currency", "").strip().upper(),
        "zone": form.get("zone", ""),
        "dates": form.get("dates", ""),
        "negative": form.get("negative", ""),
        "minor_units": form.get("minor_units") == "1",
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in _lines(text)[:MOST_WORDS]:
        word, _equals, kind = line.rpartition("=")
        if word.strip():
            yield word.strip(), kind.strip()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
