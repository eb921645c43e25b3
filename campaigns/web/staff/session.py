"""Who is at the desk: the session of a member of staff, and what each page demands of them."""

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from campaigns import accounts
from campaigns.model.staff import Permission, Staff
from campaigns.web import language
from config import LOCALES

View = TypeVar("View", bound=Callable[..., Any])

_manager = LoginManager()
_manager.session_protection = None
# A path below /staff of our own origin: no second slash or backslash may make it a host.
_OUR_PATH = re.compile(r"/staff(?:[/?][!-\[\]-~]*)?", re.ASCII)


class Session(UserMixin):  # type: ignore[misc]
    """What Flask-Login knows of a person. It ends when their session key changes."""

    def __init__(self, staff: Staff) -> None:
        self.staff = staff

    def get_id(self) -> str:
        return f"{self.staff.id}.{self.staff.session_key}"


def init_app(app: Flask) -> None:
    # Not LoginManager.init_app: its hooks look into the session at every answer, which would mark
    # public pages as varying by cookie.
    app.login_manager = _manager  # type: ignore[attr-defined]


@_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> Session | None:
    staff = accounts.in_session(key)
    return Session(staff) if staff else None


def needs(permission: Permission) -> Callable[[View], View]:
    """Mark a view: who lacks `permission` gets 403 and nothing else (the guard in door.py)."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def person() -> Staff | None:
    """Who is logged in; None if nobody is."""
    return cast(Staff, current_user.staff) if current_user.is_authenticated else None


def me() -> Staff:
    """Who is logged in, on pages that only they reach."""
    found = person()
    if found is None:
        raise LookupError("A page that demands a permission was reached by nobody.")
    return found


def begin(staff: Staff) -> None:
    """Log a person in, in a session that carries nothing over from before."""
    session.clear()
    session.permanent = True
    login_user(Session(staff))
    speak()


def end() -> None:
    """Log out. Other sessions of the same person go on."""
    logout_user()
    session.clear()


def speak() -> None:
    """Speak the person's own language and zone; before login the one the address asks for."""
    staff = person()
    asked = request.args.get("lang", "")
    if staff is not None:
        language.speak(staff.locale, staff.timezone)
    elif asked in LOCALES:
        language.speak(asked)


def own_path(target: str | None) -> str | None:
    """`target` if it is a path of staff pages and nothing that leads elsewhere, else None."""
    return target if target and _OUR_PATH.fullmatch(target) else None
