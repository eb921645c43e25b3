"""Leaving: the link in every letter. A GET asks, a POST acts; no login, no cookie, no redirect.

Mail providers post `List-Unsubscribe=One-Click` to the same address (RFC 8058), people press the
button; both withdraw the letter's purpose at once. There is nothing to guard: whoever has the
token has the letter.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from campaigns import letters, suppression
from campaigns.db import db
from campaigns.mail.address import masked
from campaigns.model.campaign import Campaign
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.web import language, site

bp = Blueprint("unsubscribe", __name__)

LARGEST_FORM = 16 * 1024


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/unsubscribe/<token>")
def question(token: str) -> ResponseReturnValue:
    return _answer(letters.behind(token), token)


@bp.post("/unsubscribe/<token>")
def leave(token: str) -> ResponseReturnValue:
    """Withdraw the letter's purpose, or everything. The second time changes nothing."""
    request.max_content_length = LARGEST_FORM
    delivery = letters.behind(token)
    if delivery is None or delivery.purpose is Purpose.SERVICE:
        return _answer(None, token)
    now = datetime.now(UTC)
    everything = "everything" in request.form
    if everything:
        suppression.leave_everything(delivery, now)
    else:
        suppression.withdraw(delivery, now)
    db.session.commit()
    return _answer(delivery, token, "everything" if everything else "purpose")


def _answer(delivery: Delivery | None, token: str, done: str | None = None) -> ResponseReturnValue:
    known = delivery is not None and delivery.purpose is not Purpose.SERVICE
    here = site.enter(delivery.locale if delivery and known else None)
    page: dict[str, Any] = {"title": _("Leave"), "known": known, "done": done, "action": ""}
    if delivery and known:
        page["letters"] = _in_words(delivery)
        page["address"] = masked(delivery.donor.address or "") if delivery.donor else None
        page["action"] = request.path
        page["more"] = url_for("preferences.page", token=token)
    return render_template("unsubscribe.html", site=here, page=page), 200 if known else 404


def _in_words(delivery: Delivery) -> str:
    """What the link leaves, as it stands in "Leave …?"."""
    if delivery.letter is LetterKind.DIGEST:
        return str(_("the monthly letter: updates about any campaign, and our newsletter"))
    if delivery.purpose is Purpose.RECEIPTS:
        return str(_("letters of thanks for gifts"))
    if delivery.purpose is Purpose.NEWSLETTER:
        return str(_("our newsletter"))
    campaign = db.session.get_one(Campaign, delivery.campaign_id)
    title = campaign.text(language.current()).title
    return str(_("updates about “%(title)s”", title=title))
