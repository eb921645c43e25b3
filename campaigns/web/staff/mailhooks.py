"""Mail providers: hooks by which they tell of letters, opened, given new secrets, and closed."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import PasswordField, StringField

from campaigns import mailhooks
from campaigns.db import db
from campaigns.model.mail_hook import MailHook
from campaigns.model.staff import Permission
from campaigns.web.staff.forms import Form, longest, required
from campaigns.web.staff.page import found, show, webhook_tabs
from campaigns.web.staff.session import me, needs

bp = Blueprint("mailhooks", __name__, url_prefix="/webhooks/mail")

# What each provider's secret is, where it gives one.
SECRETS = {
    "mailgun": (_l("HTTP webhook signing key"), _l("It stands in the account's settings.")),
    "ses": (
        _l("ARN of the topic"),
        _l("Of the SNS topic that SES tells, such as arn:aws:sns:eu-west-1:123456789012:letters."),
    ),
}
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class SecretForm(Form):
    """Another secret for a hook."""

    secret = PasswordField(
        _l("Secret"),
        [required(_l("Copy it from the provider's pages.")), longest(400)],
        render_kw=_PLAIN,
    )


class OpeningForm(SecretForm):
    """What a hook is opened with."""

    name = StringField(
        _l("Name of the hook"),
        [required(_l("Write a name, such as bounces.")), longest(64)],
        filters=[lambda text: (text or "").strip().lower()],
        description=_l("The last part of its address: small letters, digits and hyphens."),
    )


@bp.get("")
@needs(Permission.MANAGE_WEBHOOKS)
def index() -> str:
    return _page(_asking(OpeningForm(), _provider()))


@bp.post("")
@needs(Permission.MANAGE_WEBHOOKS)
def create() -> Any:
    provider = _provider()
    form = _asking(OpeningForm(), provider)
    if form.validate():
        if mailhooks.named(form.name.data) is not None:
            form.refuse("name", _("Another hook has this name."))
        elif answer := _set_up(form, form.name.data, provider):
            return answer
    db.session.rollback()
    return _page(form), 400


@bp.get("/<int:id>")
@needs(Permission.MANAGE_WEBHOOKS)
def one(id: int) -> str:
    hook = found(MailHook, id)
    return _one(hook, _asking(SecretForm(), hook.provider))


@bp.post("/<int:id>/exchange")
@needs(Permission.MANAGE_WEBHOOKS)
def exchange(id: int) -> Any:
    hook = found(MailHook, id)
    form = _asking(SecretForm(), hook.provider)
    if form.validate() and (answer := _set_up(form, hook.name, hook.provider)):
        return answer
    db.session.rollback()
    return _one(found(MailHook, id), form), 400


@bp.post("/<int:id>/remove")
@needs(Permission.MANAGE_WEBHOOKS)
def remove(id: int) -> Any:
    hook = found(MailHook, id)
    mailhooks.remove(hook.name, datetime.now(UTC), me())
    db.session.commit()
    flash(_("The hook is closed. What it told stays."))
    return redirect(url_for("staff.mailhooks.index"))


def _provider() -> str:
    """The one that the address or the form names."""
    name = request.values.get("provider", "mailgun")
    return name if name in mailhooks.PROVIDERS else abort(404)


def _asking(form: Any, provider: str) -> Any:
    """The form, asking for what this provider calls its secret; for none where we make it up."""
    if mailhooks.PROVIDERS[provider].OURS:
        del form.secret
        return form
    form.secret.label.text, form.secret.description = SECRETS[provider]
    return form


def _set_up(form: Form, name: str, provider: str) -> Any:
    """The answer; None where it was refused, with the reason beside its field."""
    own = mailhooks.PROVIDERS[provider].OURS
    secret = mailhooks.made() if own else (form["secret"].data or "").strip()
    try:
        hook = mailhooks.setup(name, provider, secret, datetime.now(UTC), me())
    except mailhooks.BadName:
        form.refuse("name", _("Use 2 to 64 small letters, digits and hyphens."))
        return None
    except mailhooks.BadSecret:
        form.refuse("secret", _("This has not the form that it has there."))
        return None
    db.session.commit()
    if own:
        return _made(hook, secret)
    flash(_("The hook is set up. Enter its address at the provider."))
    return redirect(url_for("staff.mailhooks.one", id=hook.id))


def _made(hook: MailHook, secret: str) -> str:
    """The answer to the post itself, since a secret that is shown once goes into no session."""
    return show(
        "staff/mail_hook_made.html",
        hook.name,
        (_("Mail providers"), url_for("staff.mailhooks.index")),
        address=mailhooks.address(hook, secret),
        hook=hook,
    )


def _page(form: OpeningForm) -> str:
    hooks = list(db.session.scalars(select(MailHook).order_by(MailHook.name)))
    return show(
        "staff/mail_hooks.html",
        _("Mail providers"),
        tabs=webhook_tabs("mailhooks"),
        form=form,
        provider=_provider(),
        providers=_labels(),
        ours=mailhooks.PROVIDERS[_provider()].OURS,
        hooks=hooks,
        refused=mailhooks.refused(hooks),
    )


def _one(hook: MailHook, form: SecretForm) -> str:
    return show(
        "staff/mail_hook.html",
        hook.name,
        (_("Mail providers"), url_for("staff.mailhooks.index")),
        hook=hook,
        form=form,
        provider=_labels()[hook.provider],
        ours=mailhooks.PROVIDERS[hook.provider].OURS,
        address=mailhooks.address(hook),
        refused=mailhooks.refused([hook]).get(hook.name, 0),
    )


def _labels() -> dict[str, str]:
    return {name: known.LABEL for name, known in mailhooks.PROVIDERS.items()}
