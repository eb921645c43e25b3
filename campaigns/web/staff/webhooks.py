"""Webhook endpoints: opening one, a new secret, pausing. Its secret is shown once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField

from campaigns import endpoints
from campaigns.db import db
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission, Staff
from campaigns.platforms import registry
from campaigns.web import language
from campaigns.web.staff import figure
from campaigns.web.staff.forms import Form, longest, offer, required, select_field
from campaigns.web.staff.page import found, show, webhook_tabs
from campaigns.web.staff.session import me, needs

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


class EndpointForm(Form):
    name = StringField(
        _l("Name"),
        [required(_l("Write a name, such as united-foundation.")), longest(64)],
        filters=[lambda text: (text or "").strip().lower()],
        description=_l("The last part of its address: small letters, digits and hyphens."),
    )
    scheme = select_field(_l("Signed as"))
    bounds = select_field(_l("May book to"))

    def offer_choices(self) -> "EndpointForm":
        schemes = registry.schemes().items()
        offer(
            self.scheme,
            {name: _(one.LABEL) for name, one in schemes if any(s.made for s in one.SETTINGS)},
        )
        offer(self.bounds, _bounds())
        return self

    def bound(self) -> Campaign | Listing:
        kind, _dash, number = self.bounds.data.partition("-")
        if kind == "campaign":
            return found(Campaign, int(number))
        return found(Listing, int(number))


@bp.get("")
@needs(Permission.MANAGE_WEBHOOKS)
def index() -> str:
    return _page(EndpointForm().offer_choices())


@bp.post("")
@needs(Permission.MANAGE_WEBHOOKS)
def create() -> Any:
    form = EndpointForm().offer_choices()
    if form.validate():
        made = None
        try:
            made = endpoints.create(
                form.name.data, form.scheme.data, form.bound(), datetime.now(UTC), me()
            )
        except endpoints.BadName:
            form.refuse("name", _("Use 2 to 64 small letters, digits and hyphens."))
        except endpoints.NameTaken:
            form.refuse("name", _("Another endpoint has this name."))
        if made is not None:
            return _made(made)
    db.session.rollback()
    return _page(form), 400


@bp.post("/<int:id>/rotate")
@needs(Permission.MANAGE_WEBHOOKS)
def rotate(id: int) -> str:
    return _made(endpoints.rotate(found(WebhookEndpoint, id), datetime.now(UTC), me()))


@bp.post("/<int:id>/pause")
@needs(Permission.MANAGE_WEBHOOKS)
def pause(id: int) -> Response:
    return _done(id, endpoints.pause, _("The endpoint takes nothing until you resume it."))


@bp.post("/<int:id>/resume")
@needs(Permission.MANAGE_WEBHOOKS)
def resume(id: int) -> Response:
    return _done(id, endpoints.resume, _("The endpoint takes posts again."))


def _made(made: endpoints.Made) -> str:
    """The answer to the post itself, since a secret that is shown once goes into no session."""
    db.session.commit()
    return show(
        "staff/webhook_secret.html",
        made.endpoint.name,
        (_("Endpoints"), url_for("staff.webhooks.index")),
        made=made,
    )


def _done(id: int, verb: Callable[[WebhookEndpoint, datetime, Staff], None], said: str) -> Response:
    verb(found(WebhookEndpoint, id), datetime.now(UTC), me())
    db.session.commit()
    flash(said)
    return redirect(url_for("staff.webhooks.index"))


def _page(form: EndpointForm) -> str:
    every = db.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.name))
    return show(
        "staff/webhooks.html",
        _("Endpoints"),
        tabs=webhook_tabs("webhooks"),
        form=form,
        endpoints=list(every),
        bounds=_bounds(),
        address=lambda one: endpoints.Made(one, "").address,
    )


def _bounds() -> dict[str, str]:
    """Every campaign and listing that an endpoint may book to."""
    named: dict[str, str] = {}
    for campaign in db.session.scalars(select(Campaign).order_by(Campaign.id.desc())):
        title = campaign.text(language.current()).title
        named[f"campaign-{campaign.id}"] = title
        for listing in campaign.listings:
            label = f"{title} · {figure.platform(listing.platform)} {listing.external_id}"
            named[f"listing-{listing.id}"] = label
    return named
