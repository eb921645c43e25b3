"""Codes to print: a campaign's, or one gift's, which leads a donor to the form to claim it."""

import io
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import segno
from flask import Blueprint, Response, abort, url_for
from flask_babel import gettext as _

from campaigns import claimed_gifts
from campaigns.model.campaign import Campaign
from campaigns.model.staff import Permission
from campaigns.web import language
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import needs
from config import settings

bp = Blueprint("codes", __name__, url_prefix="/codes")

# Read although a thumb or a fold hides some of it (ISO/IEC 18004: 15 per cent).
ERROR_LEVEL = "m"
QUIET_ZONE = 4  # modules of white around it, as the standard asks
SCALES = {"svg": 8, "png": 24}  # pixels of a module; printed 4 cm wide a PNG has 600 dpi
TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Card:
    """What is printed: the campaign, where the code leads, and the gift's number if it is one's."""

    campaign: Campaign
    number: str | None = None

    @property
    def title(self) -> str:
        return self.campaign.text(language.current()).title

    @property
    def plain(self) -> str:
        """The form's address, short enough to be typed."""
        return f"{settings().base_url}/c/{quote(self.campaign.slug)}/gift"

    @property
    def address(self) -> str:
        return f"{self.plain}?{urlencode({'number': self.number})}" if self.number else self.plain


@bp.get("/campaigns/<int:id>")
@needs(Permission.LOOK)
def campaign(id: int) -> str:
    return _page(_of_campaign(id), "staff.codes.campaign_image", id)


@bp.get("/campaigns/<int:id>.<format>")
@needs(Permission.LOOK)
def campaign_image(id: int, format: str) -> Response:
    return _image(_of_campaign(id), format, f"claim-{id}")


@bp.get("/gifts/<int:id>")
@needs(Permission.SEE_DONORS)
def gift(id: int) -> str:
    return _page(_of_gift(id), "staff.codes.gift_image", id)


@bp.get("/gifts/<int:id>.<format>")
@needs(Permission.SEE_DONORS)
def gift_image(id: int, format: str) -> Response:
    return _image(_of_gift(id), format, f"gift-{id}")


def _of_campaign(id: int) -> Card:
    """404 for a draft, whose form is not there yet."""
    campaign = found(Campaign, id)
    return Card(campaign) if campaign.public else abort(404)


def _of_gift(id: int) -> Card:
    """404 for what nobody can claim: money that is no single person's gift, or was taken back."""
    number = claimed_gifts.code(id)
    for entry in claimed_gifts.numbered(number):
        return Card(found(Campaign, entry.campaign_id), claimed_gifts.code(entry.id))
    return abort(404)


def _page(card: Card, image: str, id: int) -> str:
    crumb = (card.title, url_for("staff.campaigns.one", id=card.campaign.id))
    if card.number:
        crumb = (_("Entry %(number)s", number=id), url_for("staff.ledger.one", id=id))
    return show(
        "staff/code.html",
        _("Code to claim a gift"),
        crumb,
        card=card,
        images={format: url_for(image, id=id, format=format) for format in TYPES},
    )


def _image(card: Card, format: str, name: str) -> Response:
    """The code as a file; a picture on a page shows it all the same."""
    if format not in TYPES:
        abort(404)
    drawn, code = io.BytesIO(), segno.make_qr(card.address, error=ERROR_LEVEL)
    code.save(drawn, kind=format, scale=SCALES[format], border=QUIET_ZONE, light="white")
    answer = Response(drawn.getvalue(), mimetype=TYPES[format])
    answer.headers["Content-Disposition"] = f"attachment; filename={name}.{format}"
    return answer
