"""Booking by hand: one gift, or another movement of money that no platform told of."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.validators import Regexp

from campaigns import byhand
from campaigns.bookings import Booked
from campaigns.byhand import Movement
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.model.entry import Door, Entry, EntryKind, Way
from campaigns.model.staff import Permission
from campaigns.platforms.base import Giver
from campaigns.web import format
from campaigns.web.staff import choices, places
from campaigns.web.staff.forms import (
    AmountField,
    CountField,
    Form,
    LocalMomentField,
    currency_field,
    line,
    local_now,
    longest,
    offer,
    optional,
    read_amount,
    read_moment,
    required,
    select_field,
)
from campaigns.web.staff.page import ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("byhand", __name__, url_prefix="/by-hand")

SHOWN = 20
WAYS = {
    Way.BANK: _l("bank transfer"),
    Way.CASH: _l("cash"),
    Way.OTHER: _l("another way"),
}
KINDS = {
    EntryKind.PAYOUT: _l("payout: a platform paid out to us"),
    EntryKind.FEE: _l("fee: a platform or bank kept it"),
    EntryKind.REFUND: _l("refund: given back to a donor"),
    EntryKind.CHARGEBACK: _l("chargeback: a donor's bank took it back"),
    EntryKind.DISBURSEMENT: _l("disbursement: we passed it on"),
    EntryKind.EXPENSE: _l("expense: we paid a bill"),
}
# Beside which field of a form a refusal stands.
REFUSALS: dict[type[Exception], str] = {
    byhand.NotYet: "moment",
    byhand.BadAmount: "amount",
    byhand.BadGiver: "email",
    byhand.Known: "reference",
}
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}\Z", re.ASCII)


class MovementForm(Form):
    """What every movement has. `token` makes a form that is sent twice one booking."""

    token = HiddenField(validators=[Regexp(TOKEN)])
    listing = select_field(_l("Belongs to"))
    amount = AmountField(
        _l("Amount"),
        [required(_l("Write how much it was."))],
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    currency = currency_field(_l("Currency"))
    moment = LocalMomentField(_l("When"), validators=[required(_l("Write when it came."))])
    way = select_field(_l("How it came"), WAYS)
    source = select_field(
        _l("Account"),
        description=_l("A platform's only for what its own bills or notices would tell of too."),
    )
    reference = StringField(
        _l("Reference number"),
        [longest(byhand.LONGEST_REFERENCE)],
        description=_l("The bank's or platform's number for it. The same number is booked once."),
    )
    note = StringField(
        _l("Note"), [longest(500)], description=_l("For colleagues and auditors; no names.")
    )

    def offer(self) -> "MovementForm":
        offer(self.listing, choices.listings(direct=True))
        offer(self.source, places.sources())
        return self

    def movement(self, kind: EntryKind, now: datetime, **more: Any) -> Movement | None:
        """What was written in valid fields; None, with the reasons, where it cannot be read."""
        amount = read_amount(self, "amount", self.currency.data)
        moment = read_moment(self, "moment", me().timezone)
        if amount is None or moment is None:
            return None
        return Movement(
            listing=places.listing(self.listing.data, now),
            kind=kind,
            amount=amount,
            occurred_at=moment,
            way=Way(self.way.data) if "way" in self else None,
            source=self.source.data,
            reference=line(self.reference),
            note=line(self.note),
            **more,
        )


class GiftForm(MovementForm):
    donations = CountField(
        _l("Given by how many"),
        [optional()],
        default=1,
        description=_l("37 for a cash box that 37 people gave to."),
        render_kw={"inputmode": "numeric", "class": "short"},
    )
    name = StringField(_l("Donor's name"), [longest(200)], render_kw={"autocomplete": "off"})
    show_name = BooleanField(_l("The name may stand on the campaign's page"))
    email = StringField(
        _l("Donor's mail address"),
        [longest(320)],
        render_kw={"type": "email", "autocomplete": "off"},
    )
    thank = BooleanField(_l("Send a letter of thanks to the address"))
    message = TextAreaField(_l("Donor's message"), [longest(1000)], render_kw={"rows": 2})
    show_message = BooleanField(_l("The message may stand on the campaign's page"))

    def gift(self, now: datetime) -> Movement | None:
        giver = Giver(name=line(self.name), email=line(self.email), public_name=self.show_name.data)
        return self.movement(
            EntryKind.DONATION,
            now,
            donations=1 if self.donations.data is None else self.donations.data,
            giver=giver,
            message=(self.message.data or "").strip() or None,
            show_message=self.show_message.data,
            thank=self.thank.data,
        )


class OtherForm(MovementForm):
    kind = select_field(_l("What it is"), KINDS)
    regards = StringField(
        _l("Number of the donation"),
        [longest(byhand.LONGEST_REFERENCE)],
        description=_l("Of a refund or chargeback: the donation that it takes back."),
    )

    def other(self, now: datetime) -> Movement | None:
        about = line(self.regards)
        kind = EntryKind(self.kind.data)
        return self.movement(kind, now, regards=f"trade:{about}" if about else None)


@bp.get("")
@needs(Permission.BOOK)
def index() -> str:
    return _gift_page(GiftForm(**fresh() | _asked()))


@bp.post("")
@needs(Permission.BOOK)
def give() -> Any:
    now, form = datetime.now(UTC), GiftForm().offer()
    booked = book(form, form.gift, now)
    if booked is None:
        return _gift_page(form), 400
    return done(booked, url_for("staff.byhand.index"))


@bp.get("/other")
@needs(Permission.BOOK)
def ask_other() -> str:
    return _other_page(OtherForm(**fresh()))


@bp.post("/other")
@needs(Permission.BOOK)
def other() -> Any:
    now, form = datetime.now(UTC), OtherForm().offer()
    booked = book(form, form.other, now)
    if booked is None:
        return _other_page(form), 400
    return done(booked, url_for("staff.byhand.ask_other"))


def ways_in(here: str) -> list[dict[str, Any]]:
    """The pages on which money is entered by hand, as a row of links."""
    pages = {
        "staff.byhand.index": _("One gift"),
        "staff.pasted.index": _("A table"),
        "staff.matches.index": _("Matched money"),
        "staff.byhand.ask_other": _("Something else"),
    }
    return [
        {"label": label, "url": url_for(endpoint), "current": endpoint == here}
        for endpoint, label in pages.items()
    ]


def book(
    form: MovementForm, read: Callable[[datetime], Movement | None], now: datetime
) -> Booked | None:
    """What became of a form; None, with the reasons beside its fields, if it was not booked."""
    booked = None
    movement = read(now) if form.validate() else None
    if movement is not None:
        with form.refusing(REFUSALS):
            booked = byhand.book(movement, form.token.data, now, me())
    return booked


def done(booked: Booked, url: str) -> Response:
    """Commit, say what was booked, and go on."""
    db.session.commit()
    amount = format.money(db.session.get_one(Entry, booked.entry_id).amount)
    if booked.already:
        said = _("This form was booked before, as entry %(number)s: %(amount)s. Nothing changed.",
                 number=booked.entry_id, amount=amount)  # fmt: skip
    else:
        said = _("%(amount)s is booked, as entry %(number)s.",
                 number=booked.entry_id, amount=amount)  # fmt: skip
    flash(said)
    return redirect(url)


def _gift_page(form: GiftForm) -> str:
    return show(
        "staff/byhand.html",
        _("By hand"),
        tabs=ledger_tabs("byhand"),
        ways=ways_in("staff.byhand.index"),
        form=form.offer(),
        zone=me().timezone,
        entries=_newest(),
    )


def _other_page(form: OtherForm) -> str:
    return show(
        "staff/byhand_other.html",
        _("By hand"),
        tabs=ledger_tabs("byhand"),
        ways=ways_in("staff.byhand.ask_other"),
        form=form.offer(),
        zone=me().timezone,
        entries=_newest(),
    )


def fresh() -> dict[str, Any]:
    """What an empty form begins with."""
    moment = local_now(me().timezone)
    return {"formdata": None, "token": new_token(), "moment": moment, "currency": "CNY"}


def _asked() -> dict[str, str]:
    """What a link from the reconciliation fills in; it is looked at like anything typed."""
    given = {name: request.args.get(name, "")[:64] for name in ("listing", "amount", "currency")}
    return {name: text for name, text in given.items() if text}


def _newest() -> list[Entry]:
    by_hand = select(Entry).where(Entry.door == Door.HAND).options(selectinload(Entry.keys))
    return list(db.session.scalars(by_hand.order_by(Entry.id.desc()).limit(SHOWN)))
