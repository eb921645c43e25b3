"""Correcting an entry: taking it back or booking it anew, once its effect was seen."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import bookings, byhand, correcting
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind, Way
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.platforms.base import Key
from campaigns.web.staff import choices, effect, places
from campaigns.web.staff.byhand import REFUSALS, WAYS
from campaigns.web.staff.effect import Row
from campaigns.web.staff.forms import (
    AmountField,
    CountField,
    Form,
    LocalMomentField,
    currency_field,
    line,
    longest,
    offer,
    read_amount,
    read_moment,
    required,
    select_field,
)
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("corrections", __name__, url_prefix="/ledger/<int:id>")


class ReasonForm(Form):
    reason = StringField(
        _l("Reason"),
        [required(_l("Write why. It is kept, and shown where the public figure falls.")),
         longest(500)],
        description=_l("Shown on the campaign's page if its figure falls. No names."),
    )  # fmt: skip


class AnewForm(ReasonForm):
    """What an entry says, to be written rightly. What it does not say is not asked."""

    listing = select_field(_l("Belongs to"))
    amount = AmountField(
        _l("Amount"),
        [required(_l("Write how much it was."))],
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    currency = currency_field(_l("Currency"))
    moment = LocalMomentField(_l("When"), validators=[required(_l("Write when it came."))])
    donations = CountField(
        _l("Given by how many"), render_kw={"inputmode": "numeric", "class": "short"}
    )
    way = select_field(_l("How it came"), WAYS)
    reference = StringField(_l("Reference number"), [longest(byhand.LONGEST_REFERENCE)])
    note = StringField(_l("Note"), [longest(500)])

    def about(self, entry: Entry) -> "AnewForm":
        offer(self.listing, choices.listings(direct=True))
        if entry.kind is not EntryKind.DONATION:
            del self.donations
        if entry.way is None:
            del self.way
        if entry.door is not Door.HAND:
            del self.reference
        return self

    def movement(self, entry: Entry, now: datetime) -> Movement | None:
        """What was written in valid fields; None, with the reasons, where it cannot be read."""
        amount = read_amount(self, "amount", self.currency.data)
        moment = read_moment(self, "moment", me().timezone)
        if amount is None or moment is None:
            return None
        if moment == entry.occurred_at.replace(second=0, microsecond=0):
            moment = entry.occurred_at  # The field knows no seconds.
        return Movement(
            listing=places.listing(self.listing.data, now),
            kind=entry.kind,
            amount=amount,
            occurred_at=moment,
            way=Way(self.way.data) if "way" in self else None,
            stage=entry.stage,
            source=entry.source,
            reference=line(self.reference) if "reference" in self else None,
            regards=entry.regards,
            donations=self.donations.data if "donations" in self else 0,
            note=line(self.note),
        )


@bp.get("/take-back")
@needs(Permission.BOOK)
def ask_back(id: int) -> Any:
    entry = found(Entry, id)
    if correcting.reversal_of(entry) is not None or not correcting.correctable(entry):
        return redirect(_address(entry))
    return _back_page(entry, ReasonForm(formdata=None))


@bp.post("/take-back")
@needs(Permission.BOOK)
def take_back(id: int) -> Any:
    entry, form, now = found(Entry, id), ReasonForm(), datetime.now(UTC)
    if not form.validate():
        return _back_page(entry, form), 400

    def change() -> Entry:
        return correcting.take_back(entry, line(form.reason) or "", now, me())

    try:
        if not _confirmed():
            return _back_page(entry, form, effect.of(change, {entry.campaign_id}, now))
        reversal = change()
    except correcting.Refused as error:
        return _refused(id, error)
    db.session.commit()
    flash(_("Entry %(number)s is taken back.", number=entry.id))
    return redirect(_address(reversal))


@bp.get("/anew")
@needs(Permission.BOOK)
def ask_anew(id: int) -> Any:
    entry = found(Entry, id)
    if not correcting.rebookable(entry):
        return redirect(_address(entry))
    return _anew_page(entry, _filled(entry))


@bp.post("/anew")
@needs(Permission.BOOK)
def anew(id: int) -> Any:
    entry, now = found(Entry, id), datetime.now(UTC)
    form = AnewForm().about(entry)
    rows, made = None, None
    try:
        change = _anew(entry, form, now) if form.validate() else None
        if change is not None and _confirmed():
            made = change()
        elif change is not None:
            rows = effect.of(change, _campaigns(entry, form), now)
    except correcting.NumberTaken as error:
        db.session.rollback()
        form.refuse("reference" if "reference" in form else "reason", str(error))
    except correcting.Refused as error:
        return _refused(id, error)
    if made is None:
        return _anew_page(entry, form, rows), 400 if form.errors else 200
    db.session.commit()
    flash(_("Entry %(number)s stands in its place.", number=made.id))
    return redirect(_address(made))


def _anew(entry: Entry, form: AnewForm, now: datetime) -> Callable[[], Entry] | None:
    """The change that a form asks for; None, with the reasons, if it cannot be read."""
    with form.refusing(REFUSALS):
        movement = form.movement(entry, now)
        if movement is not None:
            booking = byhand.booking(movement, None, now, me())
            without = _dropped(entry, movement)
            reason = line(form.reason) or ""
            return lambda: correcting.anew(entry, booking, reason, now, me(), without=without)
    return None


def _dropped(entry: Entry, movement: Movement) -> list[Key]:
    """The reference that an entry by hand had, where another one or none was written."""
    scheme = byhand.scheme(entry.kind)
    if entry.door is not Door.HAND:
        return []
    return [
        Key(key.scheme, key.value)
        for key in entry.keys
        if key.scheme == scheme and key.value != movement.reference
    ]


def _campaigns(entry: Entry, form: AnewForm) -> set[int]:
    return {entry.campaign_id, places.campaign_id(form.listing.data)}


def _confirmed() -> bool:
    """Whether the button was pressed that stands below the effect."""
    return request.form.get("step") == "do"


def _refused(id: int, error: correcting.Refused) -> Response:
    db.session.rollback()
    flash(str(error))
    return redirect(url_for("staff.ledger.one", id=id))


def _filled(entry: Entry) -> AnewForm:
    """The form as the entry has it."""
    stated = bookings.signed(entry.kind, entry.amount)
    reference = [key.value for key in entry.keys if key.scheme == byhand.scheme(entry.kind)]
    listing = db.session.get(Listing, entry.listing_id) if entry.listing_id else None
    local = entry.occurred_at.astimezone(ZoneInfo(me().timezone)).replace(tzinfo=None)
    return AnewForm(
        formdata=None,
        listing=places.named(listing) if listing else None,
        amount=stated,
        currency=entry.currency,
        moment=local,
        donations=entry.donations,
        way=entry.way and entry.way.value,
        reference=reference[0] if reference else None,
        note=entry.reason,
    ).about(entry)


def _back_page(entry: Entry, form: ReasonForm, rows: list[Row] | None = None) -> str:
    title = _("Take back entry %(number)s", number=entry.id)
    return _page("staff/take_back.html", title, entry, form, rows)


def _anew_page(entry: Entry, form: AnewForm, rows: list[Row] | None = None) -> str:
    title = _("Book entry %(number)s anew", number=entry.id)
    return _page("staff/anew.html", title, entry, form, rows)


def _page(template: str, title: str, entry: Entry, form: ReasonForm, rows: list[Row] | None) -> str:
    return show(
        template,
        title,
        (_("Ledger"), url_for("staff.ledger.index")),
        (_("Entry %(number)s", number=entry.id), _address(entry)),
        entry=entry,
        form=form,
        rows=rows,
        zone=me().timezone,
    )


def _address(entry: Entry) -> str:
    return url_for("staff.ledger.one", id=entry.id)
