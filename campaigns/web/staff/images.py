"""Images for texts: handed in, put into Markdown, erased."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import FileField, StringField

from campaigns import images
from campaigns.db import db
from campaigns.files import picture
from campaigns.model.image import Image
from campaigns.model.staff import Permission
from campaigns.web.staff import paging
from campaigns.web.staff.forms import Form, longest, required
from campaigns.web.staff.page import found, show
from campaigns.web.staff.session import me, needs, person

bp = Blueprint("images", __name__, url_prefix="/images")

TOO_LARGE = _l("The picture is larger than %(most)s MB.", most=images.LARGEST // 1024**2)
NO_PICTURE = _l("This is no picture that we can take. Use JPEG, PNG or WebP.")
TOO_MANY = _l("The picture has more than %(most)s million pixels.",
              most=picture.MOST_PIXELS // 1_000_000)  # fmt: skip


class ImageForm(Form):
    file = FileField(
        _l("Picture"),
        [required(_l("Choose a file."))],
        description=_l("JPEG, PNG or WebP. It is made small for letters; place and camera go."),
        render_kw={
            "accept": "image/jpeg,image/png,image/webp",
            "data-largest": images.LARGEST,
            "data-too-large": TOO_LARGE,
        },
    )
    alt = StringField(
        _l("What it shows"),
        [required(_l("Write what it shows.")), longest(300)],
        description=_l("For those who do not see it, and where pictures are switched off."),
    )


@bp.get("")
@needs(Permission.WRITE)
def index() -> str:
    return _page(ImageForm(formdata=None))


@bp.post("")
@needs(Permission.WRITE)
def upload() -> Any:
    """Answers a page; to a script that asks for JSON, the Markdown that shows the image."""
    form, as_json = ImageForm(), "application/json" in request.headers.get("Accept", "")
    image = _kept(form) if form.validate() else None
    if image is None:
        db.session.rollback()
        if as_json:
            return _json({"error": next(iter(form.errors.values()))[0]}, 400)
        return _page(form), 400
    markdown = _markdown(image)
    db.session.commit()
    if as_json:
        return _json({"markdown": markdown})
    flash(_("The picture is kept. Put its line into a text."))
    return redirect(url_for("staff.images.index"))


@bp.post("/<int:id>/erase")
@needs(Permission.WRITE)
def erase(id: int) -> Any:
    images.erase(found(Image, id), datetime.now(UTC), me())
    db.session.commit()
    flash(_("The picture is erased. Letters and pages that showed it have a gap there."))
    return redirect(url_for("staff.images.index"))


@bp.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Any:
    """The body was refused by its length, unread."""
    staff = person()
    if staff is None or not staff.may(Permission.WRITE):
        return render_template("errors/error.html", code=413, reason=None), 413
    if "application/json" in request.headers.get("Accept", ""):
        return _json({"error": str(TOO_LARGE)}, 413)
    form = ImageForm(formdata=None)
    form.refuse("file", str(TOO_LARGE))
    return _page(form), 413


def _kept(form: ImageForm) -> Image | None:
    """The image; None with the reason beside the field."""
    try:
        stream, alt = form.file.data.stream, " ".join(form.alt.data.split())
        return images.keep(stream, alt, datetime.now(UTC), me())
    except picture.TooManyPixels:
        form.refuse("file", str(TOO_MANY))
    except picture.BadPicture:
        form.refuse("file", str(NO_PICTURE))
    return None


def _markdown(image: Image) -> str:
    # The words stay legible in a text; what would end or fill them becomes something alike.
    words = image.alt.translate(str.maketrans("[]{}\\", "()()/"))
    return f"![{words}]({image.path})"


def _json(told: dict[str, str], status: int = 200) -> Response:
    return Response(json.dumps(told), status, content_type="application/json")


def _page(form: ImageForm) -> str:
    standing = select(Image).where(Image.erased_at.is_(None))
    return show(
        "staff/images.html",
        _("Images"),
        (_("Updates & mailings"), url_for("staff.updates.index")),
        form=form,
        table=paging.newest_first(standing, Image.id, {}),
        markdown=_markdown,
    )
