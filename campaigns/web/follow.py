"""Following a campaign without an account: a form, a letter, and the button behind its link.

The newsletter is asked for by a page of its own and confirmed here.

No session and no cookie: the form is guarded by Origin, throttles and the letter itself.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import TooManyRequests

from campaigns import following, letters, throttles
from campaigns.db import db
from campaigns.mail.address import Address, BadAddress
from campaigns.model.campaign import Campaign, CampaignState
from campaigns.model.delivery import Delivery
from campaigns.web import campaign_page, guards, language, recent, site
from campaigns.web.public import found
from campaigns.web.site import Site, in_both_languages

bp = Blueprint("follow", __name__)
bp.url_value_preprocessor(site.take_prefix)

LARGEST_FORM = 16 * 1024
# An office or a school follows together; somebody's mailbox is not filled by a stranger.
PER_CLIENT = (30, timedelta(hours=1))
PER_ADDRESS = (3, timedelta(days=1))


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/c/<slug>/follow", methods=["POST"], endpoint="ask")
def ask(slug: str) -> ResponseReturnValue:
    """Write a letter to confirm. The answer is the same whether or not the address is known."""
    here = site.enter()
    campaign = _followable(slug)
    now = datetime.now(UTC)
    if not asked(campaign, now):
        return _again(campaign, here, typed(), now), 422
    return redirect(site.address("follow.sent", slug=campaign.slug), 303)


@in_both_languages(bp, "/c/<slug>/follow", endpoint="sent")
def sent(slug: str) -> ResponseReturnValue:
    """Look into your mail. Says nothing about any address, so anybody may read it."""
    return recent.answer(lambda: _sent(site.enter(), slug))


@bp.get("/follow/confirm/<token>")
def question(token: str) -> ResponseReturnValue:
    """The link of the letter: changes nothing, since mail scanners open links, and asks."""
    now = datetime.now(UTC)
    delivery = letters.behind(token)
    here = _enter(delivery)
    try:
        campaign = following.asked_for(delivery, now)
    except following.LinkGone:
        return _gone(here, delivery)
    if campaign is None:
        return render_template("public/newsletter.html", site=here, page=_newsletter("confirm"))
    page = _page(_("Follow this campaign"), campaign)
    page["action"] = request.path
    return render_template("public/follow_confirm.html", site=here, page=page)


@bp.post("/follow/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """The button behind the link. The second press says the same and changes nothing."""
    delivery = letters.behind(token)
    here = _enter(delivery)
    try:
        campaign = following.confirm(delivery, datetime.now(UTC))
    except following.LinkGone:
        return _gone(here, delivery)
    db.session.commit()
    if campaign is None:
        return render_template("public/newsletter.html", site=here, page=_newsletter("confirmed"))
    page = _page(_("You follow this campaign"), campaign)
    return render_template("public/follow_confirmed.html", site=here, page=page)


def asked(campaign: Campaign | None, now: datetime) -> bool:
    """Take a form that asks to follow, or for the newsletter; False where it holds no address.

    After `site.enter`. Raises the errors of a foreign form, one too large or one too many.
    """
    guards.same_origin()
    request.max_content_length = LARGEST_FORM
    try:
        address = Address.parse(request.form.get("email", ""))
    except BadAddress:
        return False
    if not throttles.allow(f"follow from {guards.client_address()}", *PER_CLIENT, now):
        db.session.commit()
        raise TooManyRequests(retry_after=int(PER_CLIENT[1].total_seconds()))
    if throttles.allow(f"follow {address}", *PER_ADDRESS, now):
        following.ask(campaign, address, language.current(), now)
    db.session.commit()
    return True


def typed() -> str:
    """What stood in the field of the address, to be looked at again."""
    return request.form.get("email", "")[:320]


def _followable(slug: str) -> Campaign:
    campaign = found(slug, "public.campaign")
    if campaign.state is CampaignState.CLOSED:
        abort(410)
    return campaign


def _again(campaign: Campaign, here: Site, typed: str, now: datetime) -> str:
    page = campaign_page.of(campaign, here, now)
    error = _("Write the whole address, such as you@example.org.")
    page["follow"] = campaign_page.follow_form(campaign, typed, error)
    return render_template("public/campaign.html", site=here, page=page)


def _sent(here: Site, slug: str) -> str:
    campaign = found(slug, "follow.sent")
    page = _page(_("Please look into your mail"), campaign)
    return render_template("public/follow_sent.html", site=here, page=page)


def _gone(here: Site, delivery: Delivery | None) -> ResponseReturnValue:
    about = delivery.campaign_id if delivery else None
    campaign = db.session.get(Campaign, about) if about else None
    shown = campaign if campaign and campaign.public else None
    page = _page(_("This link is no longer valid"), shown)
    if delivery is not None and following.is_about_newsletter(delivery):
        page["newsletter"] = site.address("newsletter.form")
    return render_template("public/follow_gone.html", site=here, page=page), 410


def _enter(delivery: Delivery | None) -> Site:
    return site.enter(delivery.locale if delivery else None)


def _newsletter(step: str) -> dict[str, Any]:
    return {"title": _("Our newsletter"), "step": step, "action": request.path}


def _page(title: str, campaign: Campaign | None) -> dict[str, Any]:
    about = campaign and {
        "title": campaign.text(language.current()).title,
        "url": site.address("public.campaign", slug=campaign.slug),
    }
    return {"title": title, "campaign": about}
