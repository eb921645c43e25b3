"""Images: handed in, put into texts, served to anybody, and erased."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from werkzeug.test import TestResponse

from campaigns import discarding, images, proofreading
from campaigns.composition import preview
from campaigns.db import db
from campaigns.model.audit import AuditRecord
from campaigns.model.file import FileChunk
from campaigns.model.image import Image
from campaigns.model.staff import Role
from tests import make
from tests.files.test_picture import drawing, photograph, with_place
from tests.make import NOON
from tests.web.staff.conftest import Desk


@pytest.fixture
def editor(desk: Callable[..., Desk]) -> Desk:
    return desk(Role.EDITOR)


def hand_in(who: Desk, content: bytes = b"", alt: str = "A desk", **headers: Any) -> TestResponse:
    fields = {"csrf_token": who.token, "alt": alt, "file": (BytesIO(content), "desk.jpg")}
    return who.client.post("/staff/images", data=fields, **headers)


def kept(who: Desk, content: bytes = b"") -> Image:
    assert hand_in(who, content or photograph()).status_code == 302
    return db.session.query(Image).one()


def test_a_picture_stands_at_its_own_address_for_ever(app: Flask, editor: Desk) -> None:
    image = kept(editor)
    answer = app.test_client().get(image.path)
    assert answer.status_code == 200
    assert answer.content_type == "image/jpeg"
    assert answer.data == images.content(image)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = app.test_client().get(image.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_what_was_not_handed_in_is_not_there(app: Flask, editor: Desk) -> None:
    image, client = kept(editor), app.test_client()
    other = image.path.replace(".jpg", ".png")
    for path in (other, f"/images/{'0' * 64}.jpg", "/images/..%2f..%2fx.jpg", "/images/x.svg"):
        assert client.get(path).status_code == 404


def test_where_it_was_taken_is_told_to_nobody(app: Flask, editor: Desk) -> None:
    hand_in(editor, with_place())
    image = db.session.query(Image).one()
    assert b"Ada" not in app.test_client().get(image.path).data


def test_a_script_is_told_the_line_for_the_text(editor: Desk) -> None:
    headers = {"Accept": "application/json"}
    told = hand_in(editor, photograph(), "A [desk] {{x}}", headers=headers).json
    image = db.session.query(Image).one()
    assert told == {"markdown": f"![A (desk) ((x))]({image.path})"}


@pytest.mark.parametrize(
    ("content", "alt", "words"),
    [
        (b"<svg><script>x</script></svg>", "A desk", "no picture that we can take"),
        (b"", "A desk", "no picture that we can take"),
        (photograph(), "  ", "Write what it shows"),
    ],
)
def test_what_cannot_be_taken_is_refused(
    editor: Desk, content: bytes, alt: str, words: str
) -> None:
    answer = hand_in(editor, content, alt)
    assert answer.status_code == 400
    assert words in answer.text
    assert db.session.query(Image).count() == 0


def test_the_same_picture_twice_is_one(editor: Desk) -> None:
    content = photograph()
    hand_in(editor, content, "A desk")
    hand_in(editor, content, "Two desks")
    assert db.session.query(Image).one().alt == "Two desks"


def test_an_erased_picture_is_gone_with_its_octets_and_words(app: Flask, editor: Desk) -> None:
    image = kept(editor)
    for _ in range(2):
        assert editor.post(f"/staff/images/{image.id}/erase").status_code == 302
    assert app.test_client().get(image.path).status_code == 410
    assert db.session.query(FileChunk).count() == 0
    assert db.session.get_one(Image, image.id).alt == ""
    assert db.session.query(AuditRecord).filter_by(action="erased image").count() == 1


def test_an_erased_picture_can_be_handed_in_again(app: Flask, editor: Desk) -> None:
    content = photograph()
    hand_in(editor, content)
    image = db.session.query(Image).one()
    images.erase(image, NOON, None)
    db.session.commit()
    hand_in(editor, content)
    assert app.test_client().get(image.path).status_code == 200


def test_a_letter_tells_outlook_how_wide_it_stands(editor: Desk) -> None:
    image = kept(editor, drawing(1600, 800))
    body = f"![A desk]({image.path})"
    found = preview(make.update(), ("Desks", body), "en", NOON)
    assert f'src="http://localhost{image.path}"' in found.html
    assert 'width="544"' in found.html
    assert "[A desk]" in found.plain


def test_proofreading_knows_what_stands_and_what_is_too_heavy(editor: Desk) -> None:
    image, update = kept(editor), make.update()
    update.text("en", "en").body = f"![A desk]({image.path})"
    assert proofreading.of(update, NOON) == []
    image.size = proofreading.TOO_HEAVY + 1
    assert [one.grave for one in proofreading.of(update, NOON)] == [True]
    images.erase(image, NOON, None)
    with force_locale("en"):
        assert "There is no image at" in proofreading.of(update, NOON)[0].says


def test_a_picture_that_came_as_an_import_too_is_not_lost_with_it(editor: Desk) -> None:
    image = kept(editor)
    assert discarding._is_wanted(image.file_id, 4711)
    images.erase(image, NOON, None)
    assert not discarding._is_wanted(image.file_id, 4711)


def test_only_who_writes_hands_in(desk: Callable[..., Desk]) -> None:
    assert hand_in(desk(Role.TREASURER), photograph()).status_code == 403
