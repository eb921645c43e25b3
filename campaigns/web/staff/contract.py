"""A listing's contract of freshness: how often it is asked, when it is late, what is held."""

from datetime import UTC, datetime, time
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, TimeField

from campaigns import contracts, figures
from campaigns.contracts import Contract
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff import figure
from campaigns.web.staff.forms import (
    CountField,
    Form,
    MinutesField,
    offer,
    optional,
    required,
)
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.zones import zone_field

bp = Blueprint("contract", __name__, url_prefix="/listings")

SHORT = {"inputmode": "numeric", "class": "short"}
REFUSALS: dict[type[Exception], str] = {
    contracts.BadPeriod: "period",
    contracts.BadGrace: "grace",
    contracts.HalfHours: "closes",
    contracts.UnknownZone: "zone",
    contracts.TooLongAfter: "days_after",
    contracts.BadFactor: "jump_factor",
}


class ContractForm(Form):
    period = MinutesField(
        _l("Minutes between two questions"),
        [required(_l("Write the minutes, such as 10."))],
        description=_l("More often in a campaign's last two days and in giving festivals."),
    )
    grace = MinutesField(
        _l("Minutes until a figure is late"),
        [required(_l("Write the minutes, such as 11."))],
        description=_l("Beyond the moment at which the next one should have come."),
    )
    opens = TimeField(
        _l("Asked from"), [optional()], description=_l("Leave both empty for day and night.")
    )
    closes = TimeField(_l("Asked until"), [optional()])
    zone = zone_field(_l("Time zone of these hours"))
    days_after = CountField(
        _l("Days asked after the end"),
        [required(_l("Write the days, such as 30; 0 for none."))],
        description=_l("Every six hours at most; then the figure is final."),
        render_kw=SHORT,
    )
    jump_factor = CountField(
        _l("Hold a figure of more than so many times the last"),
        [optional()],
        description=_l("Such as 10. Empty: a figure may grow by any amount."),
        render_kw=SHORT,
    )
    accept_falls = BooleanField(
        _l("Believe a fall that the next report confirms"),
        description=_l("Otherwise every fall waits for a person. The page says why it fell."),
    )

    def contract(self) -> Contract:
        """What was typed, once the form is valid."""
        opens, closes = _minute(self.opens.data), _minute(self.closes.data)
        if opens == closes:
            opens = closes = None
        return Contract(
            period_seconds=self.period.data or 0,
            grace_seconds=self.grace.data or 0,
            zone=self.zone.data or None,
            opens_at=opens,
            closes_at=closes,
            asked_days_after=self.days_after.data or 0,
            jump_factor=self.jump_factor.data,
            accept_falls=self.accept_falls.data,
        )


def form_of(listing: Listing) -> ContractForm:
    """The form as the listing's page shows it: what is, whatever another form has sent."""
    return _offered(
        ContractForm(
            formdata=None,
            period=listing.period_seconds,
            grace=listing.grace_seconds,
            opens=_time(listing.opens_at),
            closes=_time(listing.closes_at),
            zone=listing.zone or "",
            days_after=listing.asked_days_after,
            jump_factor=listing.jump_factor,
            accept_falls=listing.accept_falls,
        )
    )


@bp.get("/<int:id>/contract")
@needs(Permission.EDIT_CAMPAIGNS)
def ask(id: int) -> str:
    listing = found(Listing, id)
    return _page(listing, form_of(listing))


@bp.post("/<int:id>/contract")
@needs(Permission.EDIT_CAMPAIGNS)
def change(id: int) -> Any:
    listing, form = found(Listing, id), _offered(ContractForm())
    if form.validate():
        with form.refusing(REFUSALS):
            contracts.change(listing, form.contract(), datetime.now(UTC), me())
    if form.errors:
        return _page(listing, form), 400
    db.session.commit()
    flash(_("This is kept."))
    return redirect(url_for("staff.listings.one", id=listing.id))


def _page(listing: Listing, form: ContractForm) -> str:
    campaign, name = found(Campaign, listing.campaign_id), figure.platform(listing)
    title = campaign.text(language.current()).title
    listings = _("%(platform)s for %(campaign)s", platform=name, campaign=title)
    return show(
        "staff/contract.html",
        _("How fresh its figure should be"),
        (_("Campaigns"), url_for("staff.campaigns.index")),
        (title, url_for("staff.campaigns.one", id=campaign.id)),
        (listings, url_for("staff.listings.one", id=listing.id)),
        listing=listing,
        form=form,
    )


def _offered(form: ContractForm) -> ContractForm:
    own = _("That of the organisation (%(zone)s)", zone=figures.zone().key)
    offer(form.zone, {"": own})
    return form


def _minute(at: time | None) -> int | None:
    return None if at is None else at.hour * 60 + at.minute


def _time(minute: int | None) -> time | None:
    return None if minute is None else time(minute // 60, minute % 60)
