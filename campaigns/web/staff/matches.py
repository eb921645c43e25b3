"""Matched money at the desk: announced, confirmed, received, each step seen before it is made."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import matching
from campaigns.byhand import Movement
from campaigns.db import db
from campaigns.matching import Further
from campaigns.model.entry import Entry, EntryKind, MatchStage
from campaigns.model.gift import Gift
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.platforms.base import Giver
from campaigns.web.staff import effect, figure
from campaigns.web.staff.byhand import MovementForm, book, done, fresh, ways_in
from campaigns.web.staff.effect import Row
from campaigns.web.staff.forms import (
    AmountField,
    Form,
    LocalMomentField,
    line,
    local_now,
    longest,
    offer,
    read_amount,
    read_moment,
    required,
    select_field,
)
from campaigns.web.staff.page import found, ledger_tabs, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("matches", __name__, url_prefix="/by-hand/matches")

STAGES = {
    MatchStage.ANNOUNCED: _l("announced: promised, not counted yet"),
    MatchStage.CONFIRMED: _l("confirmed: certain, on its way"),
    MatchStage.RECEIVED: _l("received: it has arrived"),
}
REFUSALS: dict[type[Exception], str] = {
    matching.NotLater: "stage",
    matching.NotYet: "moment",
    matching.BadAmount: "amount",
    matching.Unexplained: "reason",
}


class MatchForm(MovementForm):
    way = None
    by = StringField(
        _l("Who matches"),
        [required(_l("Write who adds the money.")), longest(200)],
        description=_l(
            "A company, a foundation or a platform's matching fund. The campaign's page names it."
        ),
    )
    stage = select_field(_l("How far it is"), STAGES)

    def match(self, now: datetime) -> Movement | None:
        giver = Giver(name=line(self.by), public_name=True)
        stage = MatchStage(self.stage.data)
        return self.movement(EntryKind.MATCH, now, stage=stage, giver=giver)


class FurtherForm(Form):
    stage = select_field(_l("How far it is now"))
    amount = AmountField(
        _l("Amount"),
        [required(_l("Write how much it was."))],
        render_kw={"inputmode": "decimal", "class": "short amount"},
    )
    moment = LocalMomentField(_l("Since when"), validators=[required(_l("Write since when."))])
    reason = StringField(
        _l("Reason"),
        [longest(500)],
        description=_l("If the amount differs: why. Shown on the campaign's page if it falls."),
    )

    def about(self, entry: Entry) -> "FurtherForm":
        offer(self.stage, {stage: STAGES[stage] for stage in matching.later(entry.stage)})
        return self

    def further(self, currency: str) -> Further | None:
        amount = read_amount(self, "amount", currency)
        moment = read_moment(self, "moment", me().timezone)
        if amount is None or moment is None:
            return None
        return Further(MatchStage(self.stage.data), amount, moment, line(self.reason))


@bp.get("")
@needs(Permission.BOOK)
def index() -> str:
    return _page(MatchForm(**fresh()))


@bp.post("")
@needs(Permission.BOOK)
def add() -> Any:
    now, form = datetime.now(UTC), MatchForm().offer()
    booked = book(form, form.match, now)
    if booked is None:
        return _page(form), 400
    return done(booked, url_for("staff.matches.index"))


@bp.get("/<int:id>")
@needs(Permission.BOOK)
def ask(id: int) -> Any:
    entry = found(Entry, id)
    if not matching.later(entry.stage):
        return redirect(url_for("staff.ledger.one", id=id))
    form = FurtherForm(formdata=None, amount=entry.amount, moment=local_now(me().timezone))
    return _step_page(entry, form.about(entry))


@bp.post("/<int:id>")
@needs(Permission.BOOK)
def advance(id: int) -> Any:
    entry, now = found(Entry, id), datetime.now(UTC)
    form, rows, made = FurtherForm().about(entry), None, None
    further = form.further(entry.currency) if form.validate() else None
    if further is None:
        return _step_page(entry, form), 400
    try:
        with form.refusing(REFUSALS):
            if request.form.get("step") == "do":
                made = matching.advance(entry, further, now, me())
            else:
                rows = effect.of(
                    lambda: matching.advance(entry, further, now, me()), {entry.campaign_id}, now
                )
    except matching.NotOpen as error:
        return _overtaken(id, error)
    if made is None:
        return _step_page(entry, form, rows), 400 if form.errors else 200
    db.session.commit()
    flash(_("The match stands as entry %(number)s now.", number=made.id))
    return redirect(url_for("staff.matches.index"))


def _overtaken(id: int, error: matching.NotOpen) -> Response:
    db.session.rollback()
    flash(str(error))
    return redirect(url_for("staff.ledger.one", id=id))


def _page(form: MatchForm) -> str:
    matches = matching.standing()
    return show(
        "staff/matches.html",
        _("By hand"),
        tabs=ledger_tabs("byhand"),
        ways=ways_in("staff.matches.index"),
        form=form.offer(),
        zone=me().timezone,
        matches=matches,
        later=matching.later,
        partners=_partners(matches),
        platforms=_platforms(matches),
    )


def _step_page(entry: Entry, form: FurtherForm, rows: list[Row] | None = None) -> str:
    return show(
        "staff/match.html",
        _("Match of entry %(number)s", number=entry.id),
        (_("Matched money"), url_for("staff.matches.index")),
        entry=entry,
        partner=_partners([entry]).get(entry.id),
        form=form,
        rows=rows,
        zone=me().timezone,
    )


def _partners(matches: list[Entry]) -> dict[int, str | None]:
    """Who matches, by entry."""
    rows = db.session.execute(
        select(Gift.entry_id, Gift.public_name).where(Gift.entry_id.in_([m.id for m in matches]))
    )
    return {id: name for id, name in rows}  # noqa: C416 - a row is not a pair to mypy


def _platforms(matches: list[Entry]) -> dict[int, str]:
    """The names of platforms, by listing."""
    ids = {match.listing_id for match in matches}
    listings = db.session.scalars(select(Listing).where(Listing.id.in_(ids)))
    return {listing.id: figure.platform(listing) for listing in listings}
