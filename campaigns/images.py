"""Images: kept for texts, served to anybody, and erased."""

from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import IO

from sqlalchemy import select

from campaigns import audit, stored
from campaigns.db import db
from campaigns.files import picture
from campaigns.model.image import Image
from campaigns.model.imported import Import
from campaigns.model.staff import Staff

# What may be handed in: a photograph as telephones make it.
LARGEST = 16 * 1024 * 1024


def keep(source: IO[bytes], alt: str, now: datetime, by: Staff | None) -> Image:
    """Make a picture fit for letters and keep it; `alt` says what it shows.

    The second time, by its pixels, it is the same image with the newer words; one that was erased
    stands there again. Raises `picture.BadPicture`.
    """
    made = picture.made(source)
    name = sha256(made.content).hexdigest()
    file = stored.keep(BytesIO(made.content), now, made.media_type)
    image = db.session.scalar(select(Image).where(Image.name == name))
    if image is None:
        image = Image(
            name=name,
            file_id=file.id,
            media_type=made.media_type,
            width=made.width,
            height=made.height,
            size=len(made.content),
            uploaded_at=now,
            uploaded_by=by.id if by else None,
        )
        db.session.add(image)
    image.alt, image.erased_at = alt, None
    db.session.flush()
    audit.record("uploaded image", image, now, by=by)
    return image


def erase(image: Image, now: datetime, by: Staff | None) -> None:
    """Serve it to nobody any more and forget its octets. The second time does nothing.

    Letters and pages that show it have a gap with its words.
    """
    if image.erased_at is not None:
        return
    image.erased_at, image.alt = now, ""
    stored.hold(image.file_id)
    handed_in = select(Import.id).where(Import.file_id == image.file_id).limit(1)
    if db.session.scalar(handed_in) is None:
        while stored.drop(image.file_id):
            pass
    db.session.flush()
    audit.record("erased image", image, now, by=by)


def content(image: Image) -> bytes:
    """The octets that are served."""
    with stored.opened(image.file_id) as kept:
        return kept.read()
