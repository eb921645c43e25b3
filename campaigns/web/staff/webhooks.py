"""Webhook endpoints: opening one, trying it out, new keys, pausing. A secret is shown once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response

from campaigns import endpoints
from campaigns.db import db
from campaigns.endpoints import Made
from campaigns.model.campaign import Campaign
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission, Staff
from campaigns.platforms import registry
from campaigns.platforms.base import BadKeys
from campaigns.web import language
from campaigns.web.staff import endpoint_forms, figure, rehearsal
from campaigns.web.staff.endpoint_forms import ExchangeForm, OpeningForm
from campaigns.web.staff.forms import offer
from campaigns.web.staff.page import found, show, webhook_tabs
from campaigns.web.staff.session import me, needs

# Why posts were not taken, by the exceptions that say so at the door.
REFUSALS = {
    "BadSignature": _l("not signed by a key that is valid here"),
    "StaleNotice": _l("signed too long ago, or in the future"),
    "MalformedNotice": _l("not in the agreed form"),
    "NotOurs": _l("of another app or merchant"),
    "RequestEntityTooLarge": _l("larger than 256 KB"),
}

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@bp.get("")
@needs(Permission.MANAGE_WEBHOOKS)
def index() -> str:
    return _page(_opening(_scheme()))


@bp.post("")
@needs(Permission.MANAGE_WEBHOOKS)
def create() -> Any:
    form = _opening(_scheme())
    if form.validate():
        made = _create(form)
        if made is not None:
            db.session.commit()
            return _made(made) if made.secret else redirect(_address(made.endpoint))
    db.session.rollback()
    return _page(form), 400


@bp.get("/<int:id>")
@needs(Permission.MANAGE_WEBHOOKS)
def one(id: int) -> str:
    endpoint = found(WebhookEndpoint, id)
    return _one(endpoint, endpoint_forms.exchange(endpoint))


@bp.post("/<int:id>/rotate")
@needs(Permission.MANAGE_WEBHOOKS)
def rotate(id: int) -> Any:
    endpoint = found(WebhookEndpoint, id)
    form = endpoint_forms.exchange(endpoint)
    if form.validate():
        made = _exchange(endpoint, form)
        if made is not None:
            db.session.commit()
            flash(_("The keys and settings are kept."))
            return _made(made) if made.secret else redirect(_address(endpoint))
    db.session.rollback()
    return _one(found(WebhookEndpoint, id), form), 400


@bp.post("/<int:id>/sample")
@needs(Permission.MANAGE_WEBHOOKS)
def sample(id: int) -> str:
    """Show what would become of a donation, which is taken back at once."""
    rehearsed = rehearsal.of(found(WebhookEndpoint, id), datetime.now(UTC))
    endpoint = found(WebhookEndpoint, id)
    return _one(endpoint, endpoint_forms.exchange(endpoint), rehearsed=rehearsed)


@bp.post("/<int:id>/pause")
@needs(Permission.MANAGE_WEBHOOKS)
def pause(id: int) -> Response:
    return _done(id, endpoints.pause, _("The endpoint takes nothing until you resume it."))


@bp.post("/<int:id>/resume")
@needs(Permission.MANAGE_WEBHOOKS)
def resume(id: int) -> Response:
    return _done(id, endpoints.resume, _("The endpoint takes posts again."))


def _scheme() -> str:
    """The one that the address or the form names."""
    name = request.values.get("scheme", "standard")
    return name if name in registry.schemes() else abort(404)


def _opening(scheme: str) -> OpeningForm:
    form = endpoint_forms.opening(scheme)
    offer(form.bounds, _bounds())
    return form


def _create(form: OpeningForm) -> Made | None:
    """None where it was refused, with the reason beside its field."""
    scheme = _scheme()
    kind, _dash, number = form.bounds.data.partition("-")
    bound: Campaign | Listing = (
        found(Campaign, int(number)) if kind == "campaign" else found(Listing, int(number))
    )
    given = endpoint_forms.given(form, scheme)
    try:
        return endpoints.create(form.name.data, scheme, bound, datetime.now(UTC), me(), given=given)
    except endpoints.BadName:
        form.refuse("name", _("Use 2 to 64 small letters, digits and hyphens."))
    except endpoints.NameTaken:
        form.refuse("name", _("Another endpoint has this name."))
    except BadKeys as error:
        endpoint_forms.refuse(form, error)
    return None


def _exchange(endpoint: WebhookEndpoint, form: ExchangeForm) -> Made | None:
    """None where it was refused, with the reason beside its field."""
    given = endpoint_forms.given(form, endpoint.scheme, changing=True)
    try:
        return endpoints.rotate(endpoint, datetime.now(UTC), me(), given=given, overlap=form.hours)
    except BadKeys as error:
        endpoint_forms.refuse(form, error)
    except endpoints.AnotherAccount:
        form.refuse(
            "seller_id" if "seller_id" in form else "mchid",
            _("This is another account: open an endpoint of its own for it."),
        )
    return None


def _made(made: Made) -> str:
    """The answer to the post itself, since a secret that is shown once goes into no session."""
    return show(
        "staff/webhook_secret.html",
        made.endpoint.name,
        (_("Endpoints"), url_for("staff.webhooks.index")),
        made=made,
    )


def _done(id: int, verb: Callable[[WebhookEndpoint, datetime, Staff], None], said: str) -> Response:
    endpoint = found(WebhookEndpoint, id)
    verb(endpoint, datetime.now(UTC), me())
    db.session.commit()
    flash(said)
    return redirect(_address(endpoint))


def _address(endpoint: WebhookEndpoint) -> str:
    return url_for("staff.webhooks.one", id=endpoint.id)


def _page(form: OpeningForm) -> str:
    every = db.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.name))
    return show(
        "staff/webhooks.html",
        _("Endpoints"),
        tabs=webhook_tabs("webhooks"),
        form=form,
        scheme=_scheme(),
        schemes={name: _(one.LABEL) for name, one in registry.schemes().items()},
        endpoints=list(every),
        bounds=_bounds(),
    )


def _one(
    endpoint: WebhookEndpoint,
    form: ExchangeForm,
    rehearsed: rehearsal.Rehearsed | None = None,
) -> str:
    now = datetime.now(UTC)
    rules = registry.scheme(endpoint.scheme)
    valid = [key for key in endpoint.secrets if key.expires_at is None or key.expires_at > now]
    return show(
        "staff/endpoint.html",
        endpoint.name,
        (_("Endpoints"), url_for("staff.webhooks.index")),
        endpoint=endpoint,
        address=Made(endpoint).address,
        scheme=_(rules.LABEL),
        made=any(setting.made for setting in rules.SETTINGS),
        labels={setting.name: _(setting.label) for setting in rules.SETTINGS},
        secrets=sorted(valid, key=lambda key: (key.name, key.created_at)),
        bounds=_bounds(),
        form=form,
        rehearsed=rehearsed,
        refusals=REFUSALS,
    )


def _bounds() -> dict[str, str]:
    """Every campaign and listing that an endpoint may book to."""
    named: dict[str, str] = {}
    for campaign in db.session.scalars(select(Campaign).order_by(Campaign.id.desc())):
        title = campaign.text(language.current()).title
        named[f"campaign-{campaign.id}"] = title
        for listing in campaign.listings:
            label = f"{title} · {figure.platform(listing)} {listing.external_id}"
            named[f"listing-{listing.id}"] = label
    return named
