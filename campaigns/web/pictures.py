"""Pictures of texts, for anybody: an address names its octets, so it is good for ever."""

from flask import Blueprint, Flask, Response, abort, make_response, request
from sqlalchemy import select

from campaigns import images
from campaigns.db import db
from campaigns.model.image import Image
from campaigns.web.assets import FOR_A_YEAR

bp = Blueprint("pictures", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/images/<name>.<any(jpg, png):ending>")
def one(name: str, ending: str) -> Response:
    """410 once it was erased: letters lead there."""
    image = db.session.scalar(select(Image).where(Image.name == name))
    if image is None or not image.path.endswith(f".{ending}"):
        abort(404)
    if image.erased_at is not None:
        abort(410)
    known = name in request.if_none_match
    answer = make_response(b"" if known else images.content(image), 304 if known else 200)
    answer.content_type = image.media_type
    answer.set_etag(name)
    answer.headers["Cache-Control"] = FOR_A_YEAR
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Letters are read on other sites' pages.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
