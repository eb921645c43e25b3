"""Preferences by the link of a letter: what one gets, one's data, being forgotten. No login.

GETs show, POSTs act. No cookie: whoever has the token has the letter, and what is personal wants
a letter written just now. What is done is said on the page that answers.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, abort, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import Forbidden, TooManyRequests

from campaigns import (
    disclosure,
    erasing,
    givers,
    letters,
    preferences,
    showing,
    suppression,
    throttles,
)
from campaigns.db import db
from campaigns.mail.address import masked
from campaigns.money import Money
from campaigns.preferences import Reader, Wish
from campaigns.web import format, guards, language, site
from campaigns.web.site import Site
from campaigns.web.staff import zones

bp = Blueprint("preferences", __name__, url_prefix="/preferences")

LARGEST_FORM = 64 * 1024
PER_CLIENT = (30, timedelta(hours=1))
PER_PERSON = (3, timedelta(days=1))
# What the form calls each letter by itself, and one a month.
_RHYTHMS = {"each": False, "monthly": True}


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)


@bp.get("/<token>")
def page(token: str) -> ResponseReturnValue:
    return _page(*_entered(token), token)


@bp.post("/<token>")
def choose(token: str) -> ResponseReturnValue:
    here, reader = _posted(token)
    preferences.choose(reader, _wish(), datetime.now(UTC))
    db.session.commit()
    # The language may be another one from now on.
    here = site.enter(reader.person.locale)
    return _page(here, reader, token, done="choice" if reader.chooses else None)


@bp.post("/<token>/leave")
def leave(token: str) -> ResponseReturnValue:
    """Nothing more at all, also with a link that is too old for anything else."""
    here, reader = _posted(token)
    now = datetime.now(UTC)
    suppression.leave_everything(reader.delivery, now)
    db.session.commit()
    again = preferences.reader(reader.delivery, now) or reader
    return _page(here, again, token, done="left")


@bp.post("/<token>/letter")
def write(token: str) -> ResponseReturnValue:
    """Write a fresh link to the address that the letter went to."""
    here, reader = _posted(token)
    now = datetime.now(UTC)
    if not throttles.allow(f"preferences from {guards.client_address()}", *PER_CLIENT, now):
        db.session.commit()
        raise TooManyRequests(retry_after=int(PER_CLIENT[1].total_seconds()))
    if throttles.allow(f"preferences of {reader.person.id}", *PER_PERSON, now):
        preferences.write(reader, now)
    db.session.commit()
    return _page(here, reader, token, done="written")


@bp.post("/<token>/names")
def names(token: str) -> ResponseReturnValue:
    """Show gifts under a name, or not. With a fresh link only."""
    here, reader = _posted(token)
    _demand_fresh(reader)
    shown, now = set(request.form.getlist("gift")), datetime.now(UTC)
    offered = set(request.form.getlist("offered"))
    try:
        name = showing.readable_name(request.form.get("name", "")) if shown else None
    except showing.BadName:
        typed = request.form.get("name", "")[: showing.LONGEST_NAME]
        return _page(here, reader, token, bad_name=typed, status=422)
    for gift, _entry, _back in givers.gifts(reader.person):
        if str(gift.entry_id) in offered:
            showing.name(gift, name if str(gift.entry_id) in shown else None, now, by=None)
    db.session.commit()
    return _page(here, reader, token, done="names")


@bp.get("/<token>/data")
def data(token: str) -> ResponseReturnValue:
    """What we know, to be read. With a fresh link only."""
    here, reader = _entered(token)
    _demand_fresh(reader)
    shown: dict[str, Any] = {
        "title": _("What we know about you"),
        "back": url_for(".page", token=token),
    }
    shown["languages"] = site.LANGUAGES
    shown["json"] = url_for(".as_json", token=token)
    shown["facts"] = disclosure.of(reader.person, language.current(), datetime.now(UTC))
    return render_template("public/my_data.html", site=here, page=shown)


@bp.get("/<token>/data.json")
def as_json(token: str) -> ResponseReturnValue:
    """The same for machines. With a fresh link only."""
    _here, reader = _entered(token)
    _demand_fresh(reader)
    facts = disclosure.of(reader.person, language.current(), datetime.now(UTC))
    answer = jsonify(_plain(facts))
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@bp.post("/<token>/erase")
def erase(token: str) -> ResponseReturnValue:
    """Forget the person, where they ticked that they are sure. With a fresh link only."""
    here, reader = _posted(token)
    if reader.person.address is None:
        return _page(here, reader, token)
    _demand_fresh(reader)
    if "sure" not in request.form:
        return _page(here, reader, token, unsure=True, status=422)
    erasing.erase(reader.person, reader.delivery, datetime.now(UTC))
    db.session.commit()
    return _page(here, reader, token)


def _entered(token: str) -> tuple[Site, Reader]:
    """The page's site and reader. Aborts where the link leads to no preferences."""
    reader = preferences.reader(letters.behind(token), datetime.now(UTC))
    if reader is None:
        unknown = {"title": _("We do not know this link"), "state": "unknown"}
        text = render_template("public/preferences.html", site=site.enter(), page=unknown)
        abort(make_response(text, 404))
    return site.enter(reader.person.locale or reader.delivery.locale), reader


def _posted(token: str) -> tuple[Site, Reader]:
    guards.same_origin()
    request.max_content_length = LARGEST_FORM
    return _entered(token)


def _demand_fresh(reader: Reader) -> None:
    if not reader.fresh:
        raise Forbidden


def _wish() -> Wish:
    form = request.form
    return Wish(
        locale=form.get("language", ""),
        campaigns=_numbers(form.getlist("campaign")),
        shown=_numbers(form.getlist("shown")),
        newsletter="newsletter" in form,
        receipts="receipts" in form,
        timezone=form.get("zone"),
        monthly=_RHYTHMS.get(form.get("rhythm", "")),
    )


def _numbers(texts: list[str]) -> frozenset[int]:
    return frozenset(int(one) for one in texts if one.isascii() and one.isdecimal())


def _page(
    here: Site, reader: Reader, token: str, *, status: int = 200, **more: Any
) -> ResponseReturnValue:
    person = reader.person
    page: dict[str, Any] = {"title": _("Your preferences"), "token": token, "reader": reader}
    page |= {"done": None, "unsure": False, "bad_name": None, **more}
    page["longest_name"] = showing.LONGEST_NAME
    if person.address is None:
        page |= {"title": _("We have forgotten you"), "state": "erased"}
        return render_template("public/preferences.html", site=here, page=page), status
    page |= {"state": "known", "address": masked(person.address)}
    page["choices"] = preferences.of(reader)
    page["languages"], page["zones"] = site.LANGUAGES, zones.zones()
    if reader.fresh:
        page["gifts"] = [(gift, entry) for gift, entry, back in givers.gifts(person) if not back]
    return render_template("public/preferences.html", site=here, page=page), status


def _plain(value: Any) -> Any:
    """As JSON has it: amounts as decimal strings with their currency, moments in UTC."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case Money():
            return {"amount": value.amount, "currency": value.currency}
        case datetime():
            return format.iso(value)
    return value
