"""Any other page as a listing: where its figure stands, tried out on the live page, then kept."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _

from campaigns import asking, editing
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.platforms import generic
from campaigns.platforms.generic_how import LONGEST_ADDRESS, PAGE, How
from campaigns.web import language
from campaigns.web.staff import tryout
from campaigns.web.staff.how_form import ALSO_FIELDS, FIELDS, SAYING, HowForm, whole
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs
from campaigns.web.staff.tryout import Tried

bp = Blueprint("anywhere", __name__)

Keep = Callable[[str, How, str], None]  # the way, how it is read, and the page for donors


@bp.get("/campaigns/<int:id>/listings/other")
@needs(Permission.EDIT_CAMPAIGNS)
def ask_new(id: int) -> str:
    campaign = found(Campaign, id)
    address = request.args.get("address", "")[:LONGEST_ADDRESS]
    return _page(HowForm(formdata=None, address=address, currency=campaign.currency), campaign)


@bp.post("/campaigns/<int:id>/listings/other")
@needs(Permission.EDIT_CAMPAIGNS)
def say_new(id: int) -> Any:
    campaign, form = found(Campaign, id), HowForm()

    def keep(way: str, how: How, page: str) -> None:
        editing.add_page(campaign, page, way, how, datetime.now(UTC), me())
        flash(_("The listing is added. Its first figure comes within a minute."))

    kept, tried = _step(form, keep)
    if kept:
        return redirect(url_for("staff.campaigns.one", id=id))
    return _page(form, found(Campaign, id), tried=tried), 400 if form.errors else 200


@bp.get("/listings/<int:id>/reading")
@needs(Permission.EDIT_CAMPAIGNS)
def ask(id: int) -> str:
    listing = _any(id)
    how = How.told(listing.how, listing.way or PAGE)
    page = listing.url if listing.url != how.address else ""
    shown = {**how.as_json(), "way": listing.way or PAGE, "page": page}
    form = _without_currency(HowForm(formdata=None, data=shown))
    return _page(form, found(Campaign, listing.campaign_id), listing)


@bp.post("/listings/<int:id>/reading")
@needs(Permission.EDIT_CAMPAIGNS)
def say(id: int) -> Any:
    listing, form = _any(id), _without_currency(HowForm())

    def keep(way: str, how: How, page: str) -> None:
        asking.change_how(listing, page, way, how, datetime.now(UTC), me())
        flash(_("How the page is read is kept. It is asked within a minute."))

    kept, tried = _step(form, keep, listing.currency)
    if kept:
        return redirect(url_for("staff.listings.one", id=id))
    listing = _any(id)
    page = _page(form, found(Campaign, listing.campaign_id), listing, tried)
    return page, 400 if form.errors else 200


def _step(form: HowForm, keep: Keep, currency: str | None = None) -> tuple[bool, Tried | None]:
    """What the pressed button asks for: looking, trying, or keeping what was tried."""
    if not form.validate():
        return False, None
    _take_choice(form)
    if request.form.get("step") == "look" or not any(form[name].data for name in SAYING):
        return False, _look(form, currency)
    how, page = form.how(currency), form.donors_page()
    if how is None or not page:
        return False, None
    way, mark = form.way.data, tryout.mark(form.way.data, how, page)
    was_tried, form.tried.data = form.tried.data == mark, ""
    tried = tryout.read(way, how, form.refuse)
    if tried is None or tried.found is None:
        return False, tried
    form.tried.data = mark
    if request.form.get("step") != "keep":
        return False, tried
    if not was_tried:
        flash(_("Something was changed since it was tried. Look at it once more, then keep it."))
        return False, tried
    with form.refusing({editing.ListingTaken: "address"}):
        keep(way, how, page)
    if form.errors:
        return False, tried
    db.session.commit()
    return True, tried


def _look(form: HowForm, currency: str | None) -> Tried | None:
    """Ask at the address alone: what else was typed does not matter before there is a choice."""
    how = How(whole(form.address.data), currency=currency or form.currency.data)
    tried = tryout.look(PAGE, how, form.refuse)
    if tried is not None:
        form.way.data = tried.way
    return tried


def _take_choice(form: HowForm) -> None:
    """One of the guesses was chosen: its settings take the place of what was typed."""
    try:
        chosen = json.loads(request.form.get("choose", "null"))
    except (ValueError, RecursionError):
        chosen = None
    if isinstance(chosen, dict):
        for name in ("way", "place", "attribute", "before", "after", "written", "unit"):
            form[name].data = str(chosen.get(name, ""))


def _choice(way: str, how: How) -> str:
    return json.dumps({"way": way, **how.as_json()}, ensure_ascii=False)


def _any(id: int) -> Listing:
    """The listing of this id, if it is read as somebody said here."""
    listing = found(Listing, id)
    return listing if listing.platform == generic.NAME else abort(404)


def _without_currency(form: HowForm) -> HowForm:
    """What a listing has reported is in its currency, which therefore stays."""
    del form.currency
    return form


def _page(
    form: HowForm, campaign: Campaign, listing: Listing | None = None, tried: Tried | None = None
) -> str:
    title = campaign.text(language.current()).title
    guesses = tried.guesses if tried else []
    return show(
        "staff/anywhere.html",
        _("How the page is read") if listing else _("Another page as a listing"),
        (_("Campaigns"), url_for("staff.campaigns.index")),
        (title, url_for("staff.campaigns.one", id=campaign.id)),
        form=form,
        listing=listing,
        tried=tried,
        guesses=[(_choice(tried.way, how), one) for how, one in guesses] if tried else [],
        named=[field for field in FIELDS if field in form],
        also=ALSO_FIELDS,
        also_said=any(form[field].data or form[field].errors for field in ALSO_FIELDS),
    )
