"""Static files are kept for a year, under an address that changes with their content."""

from pathlib import Path

from flask import Flask, url_for
from flask.testing import FlaskClient

from campaigns.web import assets


def style(app: Flask) -> str:
    with app.test_request_context():
        return url_for("static", filename="css/site.css")


def test_a_page_names_the_version_and_browsers_keep_it(app: Flask, client: FlaskClient) -> None:
    assert style(app) in client.get("/").text
    answer = client.get(style(app))
    assert answer.headers["Cache-Control"] == assets.FOR_A_YEAR
    assert b"--paper" in answer.data
    answer.close()


def test_another_version_is_asked_for_again(client: FlaskClient) -> None:
    for address in ("/static/css/site.css?v=old", "/static/css/site.css"):
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "no-cache"
        answer.close()


def test_the_version_changes_with_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.css"
    file.write_text("a { color: red }")
    first = assets.version(file)
    file.write_text("a { color: green }")
    assert first != assets.version(file)
    assert assets.version(tmp_path / "none.css") == ""


def test_nothing_outside_the_folder_is_served(client: FlaskClient) -> None:
    for path in ("/static/../config.py", "/static/%2e%2e/config.py", "/static//etc/passwd?v=1"):
        assert client.get(path).status_code in (308, 404)
