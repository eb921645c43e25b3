"""Claiming a gift: a number and an address, a letter, a button, and then the gift's own page.

Public like following: guarded by Origin, throttles and the letter. The answer to a number is the
same, and the same work, whether there is such a gift (promise P10).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from campaigns import claimed_gifts, claiming_gifts, letters, throttles
from campaigns.claiming_gifts import LinkGone, NotYours
from campaigns.db import db
from campaigns.mail.address import Address, BadAddress
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery
from campaigns.model.gift_claim import GiftClaim
from campaigns.web import claim_page, guards, language, recent, site
from campaigns.web.public import found
from campaigns.web.site import Site, in_both_languages

bp = Blueprint("claim", __name__)
bp.url_value_preprocessor(site.take_prefix)

LARGEST_FORM = 16 * 1024
# A family claims its gifts together; whoever tries numbers gets nowhere in a year.
PER_CLIENT = (10, timedelta(hours=1))
PER_ADDRESS = (5, timedelta(days=1))
PER_NUMBER = (5, timedelta(days=1))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/c/<slug>/gift", endpoint="form")
def form(slug: str) -> ResponseReturnValue:
    """A printed code leads here, with the gift's number where it is that of one gift."""
    here, campaign = site.enter(), found(slug, "claim.form")
    number = claimed_gifts.plain(request.args.get("number", "")) or ""
    return render_template("public/claim.html", site=here, page=_asked(campaign, number))


@in_both_languages(bp, "/c/<slug>/gift", methods=["POST"], endpoint="ask")
def ask(slug: str) -> ResponseReturnValue:
    """Write a letter about the number, whatever it leads to."""
    guards.same_origin()
    request.max_content_length = LARGEST_FORM
    now = datetime.now(UTC)
    here, campaign = site.enter(), found(slug, "claim.form")
    typed, email = request.form.get("number", ""), request.form.get("email", "")
    number, address = claimed_gifts.plain(typed), _address(email)
    if number is None or address is None:
        page = _asked(campaign, typed[:100], email[:320], _errors(number, address))
        return render_template("public/claim.html", site=here, page=page), 422
    if not throttles.allow(f"claim from {guards.client_address()}", *PER_CLIENT, now):
        db.session.commit()
        raise TooManyRequests(retry_after=int(PER_CLIENT[1].total_seconds()))
    often = throttles.allow(f"claim by {address}", *PER_ADDRESS, now)
    if throttles.allow(f"claim of {number.upper()}", *PER_NUMBER, now) and often:
        claiming_gifts.ask(campaign, number, address, language.current(), now)
    db.session.commit()
    return redirect(site.address("claim.sent", slug=campaign.slug), 303)


@in_both_languages(bp, "/c/<slug>/gift/sent", endpoint="sent")
def sent(slug: str) -> ResponseReturnValue:
    """Look into your mail. Says nothing about any number or address, so anybody may read it."""
    return recent.answer(lambda: _sent(site.enter(), slug))


@bp.get("/gift/<token>")
def gift(token: str) -> ResponseReturnValue:
    """The link of the letter: asks, and once it was confirmed shows the gift."""
    delivery = letters.behind(token)
    here = _enter(delivery)
    try:
        claim = claiming_gifts.of_letter(delivery, datetime.now(UTC))
    except LinkGone:
        return _gone(here, delivery)
    return _shown(here, claim, token) if claim.stands else _question(here, claim)


@bp.post("/gift/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """The button behind the link. The second press says the same and changes nothing."""
    delivery, now = letters.behind(token), datetime.now(UTC)
    here = _enter(delivery)
    try:
        claim = claiming_gifts.of_letter(delivery, now)
        if delivery is not None:
            claiming_gifts.confirm(claim, delivery, now)
    except LinkGone:
        return _gone(here, delivery)
    except NotYours:
        db.session.rollback()
        return _question(here, claim)
    db.session.commit()
    return redirect(request.path, 303)


@bp.post("/gift/<token>/words")
def word(token: str) -> ResponseReturnValue:
    """The name and message that are shown with the gift."""
    request.max_content_length = LARGEST_FORM
    delivery, now = letters.behind(token), datetime.now(UTC)
    here = _enter(delivery)
    typed = claim_page.Words.typed(request.form)
    try:
        claim = claiming_gifts.of_letter(delivery, now)
        if typed.errors:
            return _shown(here, claim, token, typed)
        claiming_gifts.word(claim, typed.name, typed.message, now)
    except (LinkGone, NotYours):
        db.session.rollback()
        return _gone(here, delivery)
    db.session.commit()
    return redirect(url_for("claim.gift", token=token, _anchor="words"), 303)


def _address(typed: str) -> Address | None:
    try:
        return Address.parse(typed)
    except BadAddress:
        return None


def _errors(number: str | None, address: Address | None) -> dict[str, str]:
    wrong = {}
    if number is None:
        wrong["number"] = _("Write the whole number, as it stands on your receipt.")
    if address is None:
        wrong["email"] = _("Write the whole address, such as you@example.org.")
    return wrong


def _asked(
    campaign: Campaign, number: str, email: str = "", errors: dict[str, str] | None = None
) -> dict[str, Any]:
    title = campaign.text(language.current()).title
    return {
        **site.page(_("My gift to “%(title)s”", title=title), "claim.form", slug=campaign.slug),
        "campaign": _about(campaign),
        "action": site.address("claim.ask", slug=campaign.slug),
        "number": number,
        "email": email,
        "errors": errors or {},
    }


def _sent(here: Site, slug: str) -> str:
    campaign = found(slug, "claim.sent")
    page = {"title": _("Please look into your mail"), "campaign": _about(campaign)}
    return render_template("public/claim_sent.html", site=here, page=page)


def _question(here: Site, claim: GiftClaim) -> ResponseReturnValue:
    behind = claimed_gifts.behind(claim)
    about = behind.entry.campaign_id if behind.confirmable and behind.entry else claim.campaign_id
    campaign = db.session.get_one(Campaign, about)
    page = {
        "title": _("Is this your gift?"),
        "campaign": _about(campaign),
        "verdict": behind.verdict.value,
        "updates": campaign.state is not CampaignState.CLOSED,
        "action": request.path,
    }
    status = 200 if behind.confirmable else 410
    return render_template("public/claim_confirm.html", site=here, page=page), status


def _shown(
    here: Site, claim: GiftClaim, token: str, typed: claim_page.Words | None = None
) -> ResponseReturnValue:
    page = claim_page.of(claim, token, datetime.now(UTC), typed)
    status = 422 if typed else 200
    return render_template("public/gift.html", site=here, page=page), status


def _gone(here: Site, delivery: Delivery | None) -> ResponseReturnValue:
    campaign = db.session.get(Campaign, delivery.campaign_id) if delivery else None
    about = _about(campaign) if campaign and campaign.public else None
    page = {"title": _("This link is no longer valid"), "campaign": about}
    return render_template("public/claim_gone.html", site=here, page=page), 410


def _about(campaign: Campaign) -> dict[str, str]:
    return {
        "title": campaign.text(language.current()).title,
        "url": site.address("public.campaign", slug=campaign.slug),
        "claim": site.address("claim.form", slug=campaign.slug),
    }


def _enter(delivery: Delivery | None) -> Site:
    return site.enter(delivery.locale if delivery else None)
