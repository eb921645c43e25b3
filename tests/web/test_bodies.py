"""Bodies reach the app whole or not at all. tests/faults/test_slow_connections.py has the slow."""

from io import BytesIO
from typing import Any

from flask import Flask, Response, request
from flask.testing import FlaskClient

from campaigns.web import bodies

LARGEST = 1000


def web() -> FlaskClient:
    """A web that answers with what it was sent."""
    app = Flask("bodies")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST

    @app.post("/")
    def said() -> Response:
        return Response(request.get_data())

    @app.post("/form")
    def field() -> str:
        return request.form["name"]

    bodies.init_app(app)
    return app.test_client()


def send(octets: bytes, length: int | None = None, **more: Any) -> Any:
    """Post as the server passes it on: an input that ends where the body does."""
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(length or len(octets)), **more}
    return web().post("/", input_stream=BytesIO(octets), environ_overrides=environ)


def in_pieces(octets: bytes) -> Any:
    return send(octets, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")


def test_a_whole_body_arrives_as_it_was_sent() -> None:
    assert send(b"abc").data == b"abc"
    assert send(b"x" * LARGEST).data == b"x" * LARGEST
    assert web().post("/").data == b""


def test_a_form_arrives() -> None:
    assert web().post("/form", data={"name": "书桌"}).text == "书桌"


def test_a_body_that_its_sender_broke_off_does_not_reach_the_app() -> None:
    assert send(b"name=A", length=10).status_code == 408


def test_a_body_in_pieces_is_taken_with_its_length() -> None:
    assert in_pieces(b"abc").data == b"abc"


def test_a_body_that_is_too_large_is_refused_unread() -> None:
    assert send(b"", length=LARGEST + 1).status_code == 413


def test_a_body_in_pieces_that_is_too_large_is_refused_too() -> None:
    assert in_pieces(b"x" * LARGEST).status_code == 200
    assert in_pieces(b"x" * (LARGEST + 1)).status_code == 413
