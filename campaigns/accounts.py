"""Accounts: members of staff, their roles, and their passwords."""

import secrets
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update

from campaigns import audit, letters
from campaigns.crypto import new_token
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, LetterKind
from campaigns.model.staff import MAY, Permission, Role, Staff, StaffRole
from campaigns.platforms.base import N_

SHORTEST = 12
LONGEST = 256
# How long the link of a reset letter works.
RESET_VALID = timedelta(hours=1)
# Argon2id with the library's parameters (RFC 9106, the low-memory recommendation).
_hasher = PasswordHasher()
# What an unknown address is checked against, so that it takes as long as a known one. No password
# is behind it: to hash one takes 64 MB, which every process would pay for when it starts.
_nobody = (
    f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${b64encode(secrets.token_bytes(_hasher.salt_len)).decode().rstrip('=')}"
    f"${b64encode(secrets.token_bytes(_hasher.hash_len)).decode().rstrip('=')}"
)


class AddressTaken(Exception):
    """A member of staff with this address exists already."""


class WeakPassword(ValueError):
    """The password is too short, too long, or easily guessed; the message says which."""


class LastAdministrator(Exception):
    """Nobody would be left who can administer."""


def add(
    email: str, roles: Iterable[Role], now: datetime, *, name: str = "", by: Staff | None = None
) -> Staff:
    """A new member of staff without a password yet.

    Raises `BadAddress`, or `AddressTaken` the second time.
    """
    address = Address.parse(email)
    if at(address.text):
        raise AddressTaken(f"There is a member of staff with the address {address.text} already.")
    staff = Staff(email=address.text, name=name.strip(), session_key=new_token(), created_at=now)
    staff.roles = [StaffRole(role=role) for role in sorted(set(roles))]
    db.session.add(staff)
    db.session.flush()
    audit.record("add staff", staff, now, by=by, changes={"roles": ("", _named(staff))})
    return staff


def set_password(staff: Staff, password: str, now: datetime, *, by: Staff | None = None) -> None:
    """Set a new password and end every session of theirs. Raises `WeakPassword`."""
    _refuse_weak(password, staff)
    staff.password_hash = _hasher.hash(password)
    staff.session_key = new_token()
    audit.record("set password", staff, now, by=by)


def new_password() -> str:
    """A password to print once: 128 random bits."""
    return secrets.token_urlsafe(16)


def check(email: str, password: str) -> Staff | None:
    """The active member of staff with this address and password, else None.

    Takes as long for an unknown address as for a known one (promise P10).
    """
    staff = at(email)
    stored = staff.password_hash if staff and staff.active else None
    try:
        _hasher.verify(stored or _nobody, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return None
    return staff if stored else None


def welcome(staff: Staff, password: str, now: datetime) -> None:
    """Note that they logged in; hash the password anew if the parameters have grown since."""
    if staff.password_hash and _hasher.check_needs_rehash(staff.password_hash):
        staff.password_hash = _hasher.hash(password)
    staff.seen_at = now
    audit.record("log in", staff, now, by=staff)


def ask_reset(email: str, now: datetime) -> None:
    """Queue a letter with a link to set a new password; nothing for an unknown address.

    Each call queues a letter of its own: throttle the caller.
    """
    staff = at(email)
    if staff is None or not staff.active:
        return
    letters.queue(
        LetterKind.RESET,
        to=staff,
        purpose=Purpose.SERVICE,
        occasion=f"reset:{new_token()}",
        locale=staff.locale,
        now=now,
        expires_at=now + RESET_VALID,
    )


def behind_reset(token: str, now: datetime) -> Staff | None:
    """Who may set a new password with the token of a reset letter; None if it is spent or old."""
    delivery = letters.behind(token)
    if delivery is None or delivery.letter is not LetterKind.RESET or delivery.expires_at is None:
        return None
    staff = db.session.get(Staff, delivery.staff_id)
    return staff if staff and staff.active and now < delivery.expires_at else None


def reset(staff: Staff, password: str, now: datetime) -> None:
    """Set the password and spend every reset link of theirs. Raises `WeakPassword`."""
    set_password(staff, password, now, by=staff)
    db.session.execute(
        update(Delivery)
        .where(Delivery.staff_id == staff.id, Delivery.letter == LetterKind.RESET)
        .values(token_hash=None, expires_at=now)
    )


def at(email: str) -> Staff | None:
    """The member of staff at an address, however it is spelled; None if there is none."""
    try:
        address = Address.parse(email)
    except ValueError:
        return None
    return db.session.scalar(select(Staff).where(Staff.email == address.text))


def in_session(key: str) -> Staff | None:
    """The active member of staff a session belongs to ("id.session key"); None once it ended."""
    number, _, session_key = key.partition(".")
    staff = db.session.get(Staff, int(number)) if number.isascii() and number.isdecimal() else None
    if staff is None or not staff.active:
        return None
    return staff if secrets.compare_digest(staff.session_key, session_key) else None


def change(
    staff: Staff, roles: Iterable[Role], active: bool, name: str, now: datetime, *, by: Staff
) -> None:
    """Change what a colleague may do. Ends their sessions if they may no longer come in.

    Raises `LastAdministrator`. The second call changes and records nothing.
    """
    before = (_named(staff), staff.active, staff.name)
    staff.name, staff.active = name.strip(), active
    wanted = set(roles)
    staff.roles = [held for held in staff.roles if held.role in wanted]
    missing = wanted - {held.role for held in staff.roles}
    staff.roles += [StaffRole(role=role) for role in sorted(missing)]
    db.session.flush()
    if not administrators():
        raise LastAdministrator("Somebody active must be able to administer.")
    if not active:
        staff.session_key = new_token()
    _record_change("change staff", staff, before, now, by)


def change_own(staff: Staff, name: str, locale: str, timezone: str, now: datetime) -> None:
    """Change one's own name, language and zone. The second call records nothing."""
    changes = {
        field: (getattr(staff, field), value)
        for field, value in (("name", name.strip()), ("locale", locale), ("timezone", timezone))
        if getattr(staff, field) != value
    }
    for field, (_, value) in changes.items():
        setattr(staff, field, value)
    if changes:
        audit.record("change own settings", staff, now, by=staff, changes=changes)


def administrators() -> int:
    """How many active members of staff may administer."""
    roles = [role for role, may in MAY.items() if Permission.ADMINISTER in may]
    return (
        db.session.scalar(
            select(func.count(func.distinct(Staff.id)))
            .join(StaffRole)
            .where(Staff.active, StaffRole.role.in_(roles))
        )
        or 0
    )


def _refuse_weak(password: str, staff: Staff) -> None:
    if len(password) < SHORTEST:
        raise WeakPassword(N_("A password needs at least 12 characters."))
    if len(password) > LONGEST:
        raise WeakPassword(N_("A password has at most 256 characters."))
    own = staff.email.partition("@")[0]
    if len(set(password)) < 5 or (len(own) > 2 and own in password.lower()):
        raise WeakPassword(
            N_("This password is easily guessed: use several words, not your address.")
        )


def _record_change(
    action: str, staff: Staff, before: tuple[str, bool, str], now: datetime, by: Staff
) -> None:
    after = (_named(staff), staff.active, staff.name)
    pairs = zip(("roles", "active", "name"), before, after, strict=True)
    changes = {field: (was, is_) for field, was, is_ in pairs if was != is_}
    if changes:
        audit.record(action, staff, now, by=by, changes=changes)


def _named(staff: Staff) -> str:
    return ", ".join(sorted(held.role for held in staff.roles))
