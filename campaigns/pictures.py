"""Pictures in texts: which image of ours an address means, and how wide it stands in a letter."""

import re

from sqlalchemy import select

from campaigns.db import db
from campaigns.model.image import ENDINGS, Image
from config import settings

# The column of a letter, in px. Outlook knows no max-width and takes the width it is told.
COLUMN = 544
_PATH = re.compile(rf"/images/([0-9a-f]{{64}})\.(?:{'|'.join(ENDINGS.values())})")
_SHOWN = re.compile(r'<img(?P<before>[^<>]*? src="(?P<address>[^"<>]{1,300})"[^<>]*?)>')


def at(path: str) -> Image | None:
    """The image at this path of our site; None where there is none, or none any more."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    image = db.session.scalar(select(Image).where(Image.name == match[1]))
    return image if image and image.erased_at is None and image.path == path else None


def measured(html: str) -> str:
    """Sanitised HTML with the width of each image of ours, as a letter shows it."""
    base = settings().base_url

    def one(match: re.Match[str]) -> str:
        address = match["address"]
        image = at(address.removeprefix(base)) if address.startswith(f"{base}/images/") else None
        if image is None or " width=" in match["before"]:
            return match[0]
        return f'<img width="{min(image.width, COLUMN)}"{match["before"]}>'

    return _SHOWN.sub(one, html)
