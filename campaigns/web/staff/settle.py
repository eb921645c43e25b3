"""To settle: money that waits for a person: where it belongs, whether it is true, or neither."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from wtforms import BooleanField, RadioField, StringField

from campaigns import intake, notices, settling, suggestions, unplaced
from campaigns.db import db
from campaigns.intake import Decided
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import UNSETTLED, Notice, Verdict
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.staff import Permission
from campaigns.platforms.base import NoticeError
from campaigns.settling import Item
from campaigns.suggestions import Suggestion
from campaigns.web.staff import choices, paging
from campaigns.web.staff import unplaced as rows
from campaigns.web.staff.forms import Form, longest, offer, required, select_field
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("settle", __name__, url_prefix="/settle")

WHY = {
    Verdict.UNMATCHED: _l("names no listing we know"),
    Verdict.CONFLICT: _l("contradicts what is booked"),
    Verdict.RETURNED: _l("came again after a reversal"),
    Verdict.FAILED: _l("could not be booked"),
    Verdict.NOT_UNDERSTOOD: _l("of a kind we do not know"),
}
ONE = "one"


class AssignForm(Form):
    listing = select_field(_l("It belongs to"))
    alike = RadioField(_l("What is decided"), [required("")], default=ONE)
    beginning = StringField(
        _l("The order number begins with"),
        [longest(200)],
        description=_l("Counts where you decide about all that begin alike."),
        render_kw={"class": "short", "autocomplete": "off", "spellcheck": "false"},
    )
    remember = BooleanField(_l("Remember this as a rule for money to come"))
    reason = StringField(_l("Reason"), [longest(500)])


class InsistForm(Form):
    listing = select_field(_l("It belongs to"))
    reason = StringField(
        _l("Reason"), [required(_l("Write why. It stands beside the entry.")), longest(500)]
    )


class LeaveForm(Form):
    why_left = StringField(
        _l("Reason"),
        [required(_l("Write why it is not booked. It is kept with the notice.")), longest(500)],
    )


@bp.get("")
@needs(Permission.BOOK)
def index() -> str:
    why = request.args.get("why", "")
    verdicts = [verdict for verdict in UNSETTLED if why in ("", verdict)] or UNSETTLED
    query = select(Notice).where(Notice.verdict.in_(verdicts))
    table = paging.newest_first(query, Notice.id, {"why": why})
    table.rows[:] = settling.items(table.rows, datetime.now(UTC))
    groups = [] if why else unplaced.groups()
    return show(
        "staff/settle.html",
        _("To settle"),
        tabs=ledger_tabs("settle"),
        table=table,
        why=why,
        whys=WHY,
        suggested=_suggested(table.rows),
        groups=groups,
        turned=[] if why not in ("", Verdict.CONFLICT) else unplaced.contradicted(),
        likely=suggestions.of(group.named for group in groups),
        group_address=rows.address,
        names=choices.names(),
        rules=db.session.scalar(select(func.count()).select_from(Placement)),
    )


@bp.get("/notices/<int:id>")
@needs(Permission.BOOK)
def one(id: int) -> str:
    return _page(found(Notice, id))


@bp.post("/notices/<int:id>/assign")
@needs(Permission.BOOK)
def assign(id: int) -> Any:
    notice, now = found(Notice, id), datetime.now(UTC)
    item, form = settling.items([notice], now)[0], AssignForm()
    _offer(form, item, now)
    _check(form, item)
    if form.errors:
        return _page(notice, assigning=form), 400
    decided = Decided(me(), (form.reason.data or "").strip(), _listing(form))
    booked = left = 0
    for other in _meant(form, item, now):
        try:
            done = intake.assign(other, decided, now).verdict is Verdict.BOOKED
        except (notices.Settled, NoticeError):
            done = False
        booked, left = booked + done, left + (not done)
    if form.remember and form.remember.data:
        rule = settling.remember
        rule(item.endpoint.source, *_rule(form, item), decided.listing, now, me())
    db.session.commit()
    _say(booked, left)
    return redirect(url_for("staff.settle.index"))


@bp.post("/notices/<int:id>/insist")
@needs(Permission.BOOK)
def insist(id: int) -> Any:
    notice, form, now = found(Notice, id), InsistForm(), datetime.now(UTC)
    offer(form.listing, choices.listings())
    if not form.validate():
        return _page(notice, insisting=form), 400
    listing = _listing(form)
    try:
        outcome = intake.insist(notice, Decided(me(), form.reason.data.strip(), listing), now)
    except (notices.Settled, NoticeError):
        flash(_("Somebody settled this meanwhile, or it cannot be read any more."))
    else:
        _say(*((1, 0) if outcome.verdict is Verdict.BOOKED else (0, 1)))
    db.session.commit()
    return redirect(url_for("staff.settle.index"))


@bp.post("/notices/<int:id>/leave")
@needs(Permission.BOOK)
def leave(id: int) -> Any:
    notice, form = found(Notice, id), LeaveForm()
    if not form.validate():
        return _page(notice, leaving=form), 400
    try:
        intake.leave(notice, form.why_left.data.strip(), datetime.now(UTC), me())
    except notices.Settled:
        flash(_("Somebody settled this meanwhile."))
    else:
        flash(_("It stays unbooked, with your reason."))
    db.session.commit()
    return redirect(url_for("staff.settle.index"))


def _page(
    notice: Notice,
    assigning: AssignForm | None = None,
    insisting: InsistForm | None = None,
    leaving: LeaveForm | None = None,
) -> str:
    now = datetime.now(UTC)
    item = settling.items([notice], now)[0]
    held, numbered = settling.held(item)
    suggestion = _suggested([item]).get(notice.id)
    first = held[0].listing_id if held else suggestion.listing_id if suggestion else ""
    if assigning is None:
        begins = item.named.prefix or item.named.order or ""
        assigning = AssignForm(formdata=None, listing=str(first), beginning=begins)
        _offer(assigning, item, now)
    if insisting is None:
        insisting = InsistForm(formdata=None, listing=str(first))
        offer(insisting.listing, choices.listings())
    return show(
        "staff/settle_notice.html",
        _("Notice %(number)s waits", number=notice.id),
        (_("To settle"), url_for("staff.settle.index")),
        item=item,
        notice=notice,
        waits=notice.verdict in UNSETTLED,
        whys=WHY,
        held=held,
        numbered=numbered,
        reversed_ids=_reversed(held),
        names=choices.names(),
        suggestion=suggestion,
        assigning=assigning,
        insisting=insisting,
        leaving=leaving or LeaveForm(formdata=None),
    )


def _offer(form: AssignForm, item: Item, now: datetime) -> None:
    """The listings there are, and how many notices each way of being alike means."""
    offer(form.listing, {"": _("Choose a listing"), **choices.listings()})
    named = item.named
    options = [(ONE, _("Only this notice"))]
    if named.ref and item.notice.verdict is Verdict.UNMATCHED:
        many = len(settling.alike(item, PlacedBy.REF, named.ref, now))
        text = ngettext(
            "The one that names “%(text)s”",
            "All %(num)d that name “%(text)s”",
            many,
            text=named.ref,
        )
        options.append((PlacedBy.REF, text))
    if named.order and item.notice.verdict is Verdict.UNMATCHED:
        begins = (form.beginning.data or "").strip() or named.prefix or named.order
        many = len(settling.alike(item, PlacedBy.ORDER, begins, now))
        text = ngettext(
            "The one whose order number begins with “%(text)s”",
            "All %(num)d whose order numbers begin with “%(text)s”",
            many,
            text=begins,
        )
        options.append((PlacedBy.ORDER, text))
    form.alike.choices = options
    if not named.order:
        del form.beginning
    if len(options) == 1:
        del form.remember


def _check(form: AssignForm, item: Item) -> None:
    form.validate()
    if not form.listing.data:
        form.refuse("listing", _("Choose the listing it belongs to."))
    if form.alike.data == PlacedBy.ORDER and not _begins(form, item):
        form.refuse("beginning", _("Write what the order number begins with."))
    if form.remember and form.remember.data and form.alike.data == ONE:
        form.refuse("remember", _("Choose above what the rule goes by."))


def _listing(form: Form) -> Listing:
    return found(Listing, int(form.listing.data))


def _begins(form: AssignForm, item: Item) -> bool:
    text = (form.beginning.data or "").strip() if form.beginning else ""
    return bool(text) and (item.named.order or "").startswith(text)


def _rule(form: AssignForm, item: Item) -> tuple[PlacedBy, str]:
    if form.alike.data == PlacedBy.REF:
        return PlacedBy.REF, item.named.ref or ""
    return PlacedBy.ORDER, form.beginning.data.strip()


def _meant(form: AssignForm, item: Item, now: datetime) -> Sequence[Notice]:
    if form.alike.data == ONE:
        return [item.notice]
    return settling.alike(item, *_rule(form, item), now)


def _say(booked: int, left: int) -> None:
    if booked:
        flash(ngettext("One notice is booked.", "%(num)d notices are booked.", booked))
    if left:
        flash(
            ngettext(
                "One could not be booked; it says why.",
                "%(num)d could not be booked; they say why.",
                left,
            )
        )


def _suggested(items: Sequence[Item]) -> dict[int, Suggestion]:
    """By notice, where its money may belong."""
    asked = {
        item.notice.id: item.named
        for item in items
        if item.movements and item.notice.verdict in (Verdict.UNMATCHED, Verdict.FAILED)
    }
    made = suggestions.of(asked.values())
    return {id: suggestion for id, named in asked.items() if (suggestion := made[named])}


def _reversed(entries: Sequence[Entry]) -> set[int]:
    ids = [entry.id for entry in entries]
    return set(db.session.scalars(select(Entry.reverses).where(Entry.reverses.in_(ids))))
