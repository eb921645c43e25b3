"""Public pages: the list of campaigns, each campaign, its updates, and the same as data.

They set no cookie, never vary by who asks, and may be kept by anybody for a moment.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import archive, progress
from campaigns.db import db
from campaigns.model.campaign import RAISING, Campaign, CampaignSlug, CampaignState
from campaigns.model.update import Update
from campaigns.progress import Figure
from campaigns.web import (
    campaign_page,
    curves,
    format,
    language,
    matched,
    recent,
    site,
    standing,
    update_page,
)
from campaigns.web.site import Site, in_both_languages

bp = Blueprint("public", __name__)
bp.url_value_preprocessor(site.take_prefix)

OVER = (CampaignState.ENDED, CampaignState.CLOSED)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/", endpoint="index")
def index() -> Response:
    return recent.answer(lambda: _index(site.enter()))


@in_both_languages(bp, "/c/<slug>", endpoint="campaign")
def campaign(slug: str) -> Response:
    return recent.answer(lambda: _campaign(site.enter(), slug))


@in_both_languages(bp, "/c/<slug>.json", endpoint="data")
def data(slug: str) -> Response:
    """The figures as data; amounts are decimal strings, moments RFC 3339 in UTC."""
    return recent.answer(lambda: _data(site.enter(), slug))


@in_both_languages(bp, "/c/<slug>/updates/<int:id>", endpoint="update")
def update(slug: str, id: int) -> Response:
    return recent.answer(lambda: _update(site.enter(), slug, id))


@in_both_languages(bp, "/c/<slug>/updates", endpoint="updates")
@in_both_languages(bp, "/c/<slug>/updates/page/<int(min=2):number>", endpoint="updates")
def updates(slug: str, number: int = 1) -> Response:
    """All updates of a campaign; the page stands in the path, by which pages are kept."""
    return recent.answer(lambda: _updates(site.enter(), slug, number))


def found(slug: str, endpoint: str, **values: Any) -> Campaign:
    """The public campaign of a slug; an old slug redirects for good, a draft is not there."""
    known = select(Campaign).join(CampaignSlug).where(CampaignSlug.slug == slug)
    campaign = db.session.scalar(known)
    if campaign is None or not campaign.public:
        abort(404)
    if campaign.slug != slug:
        abort(redirect(site.address(endpoint, slug=campaign.slug, **values), 301))
    return campaign


def _index(here: Site) -> str:
    public = select(Campaign).where(Campaign.state != CampaignState.DRAFT)
    campaigns = db.session.scalars(public.order_by(Campaign.created_at.desc())).all()
    cards = [standing.card(one) for one in progress.many(campaigns, datetime.now(UTC))]
    page = site.page(_("What we are raising for"), "public.index", here.about or None)
    page["introduction"] = here.about
    page["live"] = [card for card in cards if card["state"] in RAISING]
    page["ended"] = [card for card in cards if card["state"] in OVER]
    return render_template("public/index.html", site=here, page=page)


def _campaign(here: Site, slug: str) -> str:
    page = campaign_page.of(found(slug, "public.campaign"), here, datetime.now(UTC))
    return render_template("public/campaign.html", site=here, page=page)


def _update(here: Site, slug: str, id: int) -> str:
    now = datetime.now(UTC)
    campaign = found(slug, "public.update", id=id)
    update = db.session.scalar(archive.published(now, campaign).where(Update.id == id))
    if update is None:
        # Letters that lead here are out; to everybody else it was never there.
        meant = Update.id == id, Update.campaign_id == campaign.id
        abort(410 if archive.was_sent(*meant) else 404)
    page = update_page.of(campaign, update, now)
    return render_template("public/update.html", site=here, page=page)


def _updates(here: Site, slug: str, number: int) -> str:
    campaign = found(slug, "public.updates", **update_page.numbered(number))
    page = update_page.of_all(campaign, number, datetime.now(UTC))
    return render_template("public/updates.html", site=here, page=page)


def _data(here: Site, slug: str) -> dict[str, Any]:
    campaign = found(slug, "public.data")
    now = progress.of(campaign, datetime.now(UTC))
    who = matched.of(now)
    return {
        "slug": campaign.slug,
        "title": campaign.text(language.current()).title,
        "state": campaign.state,
        "currency": campaign.currency,
        "target": now.target.amount if now.target else None,
        "raised": now.raised.amount,
        "matched": now.matched.amount,
        "apart": [{"amount": one.amount, "currency": one.currency} for one in now.apart],
        "as_of": [format.iso(moment) for moment in now.as_of] if now.as_of else None,
        "donations": now.donations,
        "listings": [_listing(figure, who[figure.listing.id].names) for figure in now.listings],
        "curve": curves.data(now),
    }


def _listing(figure: Figure, matched_by: list[str]) -> dict[str, Any]:
    return {
        "platform": figure.listing.platform,
        "url": figure.listing.url,
        "raised": figure.raised.amount if figure.raised else None,
        "currency": figure.listing.currency,
        "matched": figure.matched.amount,
        "matched_by": matched_by,
        "rule": figure.rule,
        "as_of": format.iso(figure.as_of) if figure.as_of else None,
        "freshness": figure.freshness,
        "checking": figure.held is not None,
        "asked_every_seconds": int(figure.every.total_seconds()) if figure.every else None,
    }
