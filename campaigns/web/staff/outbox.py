"""The outbox: letters that were written to files, because no relay is set."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Response, abort, url_for
from flask_babel import gettext as _

from campaigns import returns
from campaigns.mail.verp import delivery_named
from campaigns.model.returned import Return
from campaigns.model.staff import Permission
from campaigns.web.staff.page import show
from campaigns.web.staff.sandbox import sandboxed
from campaigns.web.staff.session import needs
from config import settings

bp = Blueprint("outbox", __name__, url_prefix="/outbox")

SHOWN = 100
# What a browser may show of a letter's file, never longer than this.
LARGEST = 5 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9._@+-]+\.eml", re.ASCII)


@dataclass(frozen=True)
class Filed:
    """A letter in the outbox."""

    name: str
    at: datetime
    subject: str
    to: str


# Letters of the outbox carry links that set passwords, so only administrators read them.
@bp.get("")
@needs(Permission.ADMINISTER)
def index() -> str:
    files = sorted(_outbox().glob("*.eml"), key=_written, reverse=True)
    return show(
        "staff/outbox.html",
        _("Outbox"),
        letters=[_filed(file) for file in files[:SHOWN]],
        total=len(files),
    )


@bp.get("/<name>")
@needs(Permission.ADMINISTER)
def one(name: str) -> str:
    file = _file(name)
    letter = _read(file)
    plain = letter.get_body(("plain",))
    return show(
        "staff/outbox_letter.html",
        str(letter["Subject"] or ""),
        (_("Outbox"), url_for("staff.outbox.index")),
        name=name,
        headers=[(key, str(value)) for key, value in letter.items()],
        plain=plain.get_content() if plain else "",
        rich=letter.get_body(("html",)) is not None,
        back=_came_back(letter),
    )


@bp.get("/<name>/html")
@needs(Permission.ADMINISTER)
def html(name: str) -> Response:
    """The letter's HTML, in a frame that can do nothing."""
    rich = _read(_file(name)).get_body(("html",))
    return sandboxed(rich.get_content() if rich else "")


def _came_back(letter: EmailMessage) -> list[Return]:
    named = delivery_named(str(letter["Message-ID"] or ""), settings().address_pepper)
    return returns.of([named])[named] if named is not None else []


def _outbox() -> Path:
    return settings().instance_dir / "outbox"


def _file(name: str) -> Path:
    file = _outbox() / name
    if not _NAME.fullmatch(name) or file.is_symlink() or not file.is_file():
        abort(404)
    return file


def _read(file: Path) -> EmailMessage:
    with file.open("rb") as stream:
        found = email.message_from_bytes(stream.read(LARGEST), policy=email.policy.default)
    return found if isinstance(found, EmailMessage) else EmailMessage()


def _filed(file: Path) -> Filed:
    letter = _read(file)
    return Filed(
        name=file.name,
        at=datetime.fromtimestamp(_written(file), UTC),
        subject=str(letter["Subject"] or ""),
        to=str(letter["To"] or ""),
    )


def _written(file: Path) -> float:
    """When; a file that is being moved away counts as old."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
