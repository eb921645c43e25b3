"""What a platform said, word by word: shown as text, whatever it was meant to be."""

from flask import Blueprint, abort, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from campaigns import raw_answers
from campaigns.model.answer import RawAnswer
from campaigns.model.listing import Listing, PollFailure
from campaigns.model.staff import Permission
from campaigns.web.staff import figure, paging
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import needs

bp = Blueprint("answers", __name__, url_prefix="/listings")


@bp.get("/<int:id>/failures")
@needs(Permission.LOOK)
def failures(id: int) -> str:
    listing = found(Listing, id)
    of_it = select(PollFailure).where(PollFailure.listing_id == listing.id)
    table = paging.newest_first(of_it, PollFailure.id, {})
    return show(
        "staff/failures.html",
        _("Questions that brought no figure"),
        (_("Campaigns"), url_for("staff.campaigns.index")),
        (figure.platform(listing), url_for("staff.listings.one", id=listing.id)),
        listing=listing,
        table=table,
        answers=raw_answers.of_failures(failure.id for failure in table.rows),
        most=raw_answers.MOST_FAILURES,
    )


@bp.get("/<int:id>/answers/<int:answer_id>")
@needs(Permission.LOOK)
def one(id: int, answer_id: int) -> str:
    listing, answer = found(Listing, id), found(RawAnswer, answer_id)
    if answer.listing_id != listing.id:
        abort(404)
    text, charset = raw_answers.text(answer)
    return show(
        "staff/answer.html",
        _("What the platform answered"),
        (_("Campaigns"), url_for("staff.campaigns.index")),
        (figure.platform(listing), url_for("staff.listings.one", id=listing.id)),
        listing=listing,
        answer=answer,
        failure=found(PollFailure, answer.failure_id) if answer.failure_id else None,
        text=text,
        charset=charset,
        cut=answer.size > len(answer.body),
    )
