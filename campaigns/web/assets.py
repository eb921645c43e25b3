"""Static files: each address names the file's content, so that browsers keep it for a year."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

VERSION = "v"
FOR_A_YEAR = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Give `url_for("static", …)` the version of the file, and long life to what names it."""
    app.url_defaults(_name_version)
    app.after_request(_keep_for_long)


def version(file: Path) -> str:
    """Some hex digits that change with the file's content; empty where there is no such file."""
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        return ""
    return _digest(file, changed)


def _name_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and VERSION not in values and (found := _version(values["filename"])):
        values[VERSION] = found


def _keep_for_long(response: Response) -> Response:
    """An old page may name an old version: it gets today's file, and asks again next time."""
    named = request.args.get(VERSION)
    served = request.endpoint == "static" and response.status_code == 200
    if served and named and named == _version((request.view_args or {})["filename"]):
        response.headers["Cache-Control"] = FOR_A_YEAR
    return response


def _version(filename: str) -> str:
    path = safe_join(current_app.static_folder or "", filename)
    return version(Path(path)) if path else ""


@cache
def _digest(file: Path, changed: int) -> str:
    return sha256(file.read_bytes()).hexdigest()[:10]
