"""The newsletter's form, for whoever wants to hear of everything; its letter leads to `follow`."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from campaigns.web import follow, recent, site
from campaigns.web.site import Site, in_both_languages

bp = Blueprint("newsletter", __name__)
bp.url_value_preprocessor(site.take_prefix)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/newsletter", endpoint="form")
def form() -> ResponseReturnValue:
    return recent.answer(lambda: _page(site.enter(), "form"))


@in_both_languages(bp, "/newsletter", methods=["POST"], endpoint="ask")
def ask() -> ResponseReturnValue:
    """Write a letter to confirm. The answer is the same whether or not the address is known."""
    here = site.enter()
    if not follow.asked(None, datetime.now(UTC)):
        error = _("Write the whole address, such as you@example.org.")
        return _page(here, "form", email=follow.typed(), error=error), 422
    return redirect(site.address("newsletter.sent"), 303)


@in_both_languages(bp, "/newsletter/sent", endpoint="sent")
def sent() -> ResponseReturnValue:
    """Look into your mail. Says nothing about any address, so anybody may read it."""
    return recent.answer(lambda: _page(site.enter(), "sent"))


def _page(here: Site, step: str, **more: Any) -> str:
    page = site.page(_("Our newsletter"), f"newsletter.{'sent' if step == 'sent' else 'form'}")
    page |= {"step": step, "action": site.address("newsletter.ask"), "email": "", **more}
    return render_template("public/newsletter.html", site=here, page=page)
