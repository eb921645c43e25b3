"""By which of its platform's ways a listing is asked, where there are several."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from campaigns import asking
from campaigns.db import db
from campaigns.model.listing import Listing
from campaigns.model.staff import Permission
from campaigns.platforms import generic, registry
from campaigns.web.staff.forms import Form, offer, select_field
from campaigns.web.staff.page import found
from campaigns.web.staff.session import me, needs

bp = Blueprint("ways", __name__, url_prefix="/listings")


class WayForm(Form):
    way = select_field(
        _l("What is asked"),
        description=_l(
            "Choose another where the platform has changed and the first brings errors."
        ),
    )


def form(listing: Listing) -> WayForm | None:
    """The choice among the platform's ways; None where there is none to make."""
    platform = registry.platforms().get(listing.platform)
    if platform is None or len(platform.WAYS) < 2 or listing.platform == generic.NAME:
        return None
    made = WayForm(formdata=None, way=listing.way or platform.WAYS[0].name)
    offer(made.way, {way.name: _(way.label) for way in platform.WAYS})
    return made


@bp.post("/<int:id>/way")
@needs(Permission.EDIT_CAMPAIGNS)
def change(id: int) -> Any:
    listing, chosen = found(Listing, id), WayForm().way.data
    try:
        asking.change_way(listing, chosen or "", datetime.now(UTC), me())
    except asking.UnknownWay:
        flash(_("Choose one of the list."))
    else:
        db.session.commit()
        flash(_("The listing is asked this way within a minute."))
    return redirect(url_for("staff.listings.one", id=listing.id))
