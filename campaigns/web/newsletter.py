"""The newsletter: its form, for whoever wants to hear of everything, and its issues to read.

The letter that the form writes leads to `follow`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Flask, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from campaigns.web import follow, issue_page, recent, site, update_page
from campaigns.web.site import Site, in_both_languages

bp = Blueprint("newsletter", __name__)
bp.url_value_preprocessor(site.take_prefix)

NOWHERE: Mapping[str, Any] = MappingProxyType({})


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@in_both_languages(bp, "/newsletter", endpoint="form")
@in_both_languages(bp, "/newsletter/page/<int(min=2):number>", endpoint="form")
def form(number: int = 1) -> ResponseReturnValue:
    """The form, and the issues so far; further pages are earlier ones."""
    return recent.answer(lambda: _form(site.enter(), number))


@in_both_languages(bp, "/newsletter/<int(max=999999):number>", endpoint="issue")
def issue(number: int) -> ResponseReturnValue:
    """One issue, for good."""
    return recent.answer(lambda: _issue(site.enter(), number))


@in_both_languages(bp, "/newsletter", methods=["POST"], endpoint="ask")
def ask() -> ResponseReturnValue:
    """Write a letter to confirm. The answer is the same whether or not the address is known."""
    here = site.enter()
    if not follow.asked(None, datetime.now(UTC)):
        error = _("Write the whole address, such as you@example.org.")
        return _form(here, 1, email=follow.typed(), error=error), 422
    return redirect(site.address("newsletter.sent"), 303)


@in_both_languages(bp, "/newsletter/sent", endpoint="sent")
def sent() -> ResponseReturnValue:
    """Look into your mail. Says nothing about any address, so anybody may read it."""
    return recent.answer(lambda: _page(site.enter(), "sent"))


def _form(here: Site, number: int, **more: Any) -> str:
    shown = issue_page.listed(number, datetime.now(UTC))
    return _page(here, "form", update_page.numbered(number), **shown, **more)


def _issue(here: Site, number: int) -> str:
    page = issue_page.of(number, datetime.now(UTC))
    return render_template("public/issue.html", site=here, page=page)


def _page(here: Site, step: str, at: Mapping[str, Any] = NOWHERE, **more: Any) -> str:
    page = site.page(_("Our newsletter"), f"newsletter.{step}", **at)
    page |= {"step": step, "action": site.address("newsletter.ask"), "email": "", **more}
    return render_template("public/newsletter.html", site=here, page=page)
