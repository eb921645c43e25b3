"""Who was told about an update: by which letter, when; and who agreed and was not, and why."""

from collections.abc import Sequence

from flask import Blueprint, request, url_for
from flask_babel import gettext as _

from campaigns import recipients
from campaigns.model.donor import Donor
from campaigns.model.mailing import Mailing
from campaigns.model.staff import Permission
from campaigns.model.update import Update
from campaigns.web.staff import letter_words, masked, paging, sendings
from campaigns.web.staff.forms import LANGUAGES
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs

bp = Blueprint("recipients", __name__, url_prefix="/updates")


@bp.get("/<int:id>/recipients")
@needs(Permission.LOOK)
def index(id: int) -> str:
    update = found(Update, id)
    begun, sought = recipients.mailings(id), chosen(id)
    kept = {"state": sought.state, "reason": sought.reason}
    if begun:
        query = recipients.found(sought, begun)
        table = paging.newest_first(query, Donor.id, kept, whole=True)
    else:
        table = paging.Page([], newer=None, older=None)
    return show(
        "staff/recipients.html",
        _("Who was told"),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        (sendings.title(update), url_for("staff.updates.one", id=id)),
        update=update,
        begun=begun,
        table=table,
        chosen=kept,
        counts=_counted(begun),
        state=letter_words.state,
        reason=letter_words.reason,
        name=name,
        address=address,
        languages=LANGUAGES,
    )


def chosen(id: int) -> recipients.Sought:
    """Whom an address or a form means; anything that is no choice counts as none."""
    state, reason = request.values.get("state", ""), request.values.get("reason", "")
    return recipients.Sought(
        update_id=id,
        state=state if state in letter_words.STATES else "",
        reason=reason if reason in letter_words.REASONS else "",
    )


def name(text: str | None) -> str:
    """Somebody's name, in full only for those who may see donors."""
    return (text if me().may(Permission.SEE_DONORS) else masked.name(text)) or ""


def address(text: str | None) -> str:
    """Somebody's address, in full only for those who may see donors."""
    return (text if me().may(Permission.SEE_DONORS) else masked.address(text)) or ""


def _counted(begun: Sequence[Mailing]) -> list[letter_words.Became]:
    return letter_words.became(recipients.counts(begun)) if begun else []
