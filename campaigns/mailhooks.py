"""Mail hooks: where providers tell what became of letters; set up, and asked what may be taken."""

import re
import secrets
from datetime import datetime
from hashlib import sha256
from typing import cast

from sqlalchemy import Table, delete, func, select, update

from campaigns import audit
from campaigns.db import db, insert
from campaigns.mail import mailgun, postmark, ses
from campaigns.mail.hook import FRESH, BadSignature, Malformed, Provider
from campaigns.model.mail_hook import MailHook, UsedToken
from campaigns.model.returned import Stray
from campaigns.model.staff import Staff
from config import settings

PROVIDERS: dict[str, Provider] = {"mailgun": mailgun, "postmark": postmark, "ses": ses}
REFUSALS = (BadSignature.__name__, Malformed.__name__)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]", re.ASCII)


class BadHook(ValueError):
    """It cannot be set up so. The message says why."""


class BadName(BadHook):
    """It is not 2 to 64 small letters, digits and hyphens."""


class BadSecret(BadHook):
    """It has not the form of this provider's secrets."""


class NameTaken(BadHook):
    """There is a hook of this name for another provider."""


def setup(
    name: str, provider: str, secret: str, now: datetime, by: Staff | None = None
) -> MailHook:
    """Open a hook, or give one of this name and provider another secret. Raises `BadHook`."""
    if not _NAME.fullmatch(name):
        raise BadName("A hook's name is 2 to 64 small letters, digits and hyphens.")
    if not PROVIDERS[provider].SECRET.fullmatch(secret):
        raise BadSecret(f"This is no secret of {PROVIDERS[provider].LABEL}.")
    hook = named(name)
    if hook is not None and hook.provider != provider:
        raise NameTaken(f"There is a hook called {name} for {hook.provider} already.")
    new = hook is None
    hook = hook or MailHook(name=name, provider=provider, created_at=now)
    hook.seal(settings().data_keys, secret.encode())
    db.session.add(hook)
    db.session.flush()
    changes: dict[str, tuple[object, object]] = {"name": (None, name)}
    audit.record(
        "opened mail hook" if new else "changed mail hook", hook, now, by=by, changes=changes
    )
    return hook


def made() -> str:
    """A new secret, for providers that are given one."""
    return secrets.token_hex(24)


def address(hook: MailHook, secret: str = "") -> str:
    """Where its provider posts; with the secret in it, for one that is known by it."""
    base = settings().base_url
    if secret:
        scheme, _, rest = base.partition("://")
        base = f"{scheme}://{hook.provider}:{secret}@{rest}"
    return f"{base}/hooks/mail/{hook.name}"


def refused(hooks: list[MailHook]) -> dict[str, int]:
    """How many posts to each of them were not taken, by their names."""
    doors = {f"hook:{hook.name}": hook.name for hook in hooks}
    rows = db.session.execute(
        select(Stray.door, func.sum(Stray.number))
        .where(Stray.door.in_(doors), Stray.reason.in_(REFUSALS))
        .group_by(Stray.door)
    )
    return {doors[door]: int(number) for door, number in rows}


def remove(name: str, now: datetime, by: Staff | None = None) -> None:
    """Close a hook; its posts are told 404. Raises `BadHook` if there is none."""
    hook = named(name)
    if hook is None:
        raise BadHook(f"There is no hook called {name}.")
    audit.record("removed mail hook", hook, now, by=by, changes={"name": (name, None)})
    db.session.execute(delete(MailHook).where(MailHook.id == hook.id))


def named(name: str) -> MailHook | None:
    return db.session.scalar(select(MailHook).where(MailHook.name == name))


def heard(hook_id: int, now: datetime) -> None:
    """It told something that was taken."""
    db.session.execute(update(MailHook).where(MailHook.id == hook_id).values(heard_at=now))


def use(hook_id: int, token: str, body: bytes, now: datetime) -> bool:
    """Whether a token comes with this body for the first time. Raises `Malformed` if it came with
    another: somebody caught a post and changed it."""
    values = {
        "token_hash": sha256(token.encode()).hexdigest(),
        "body_hash": sha256(body).hexdigest(),
    }
    row = insert(cast(Table, UsedToken.__table__)).values(hook_id=hook_id, at=now, **values)
    new = db.session.scalar(row.on_conflict_do_nothing().returning(UsedToken.hook_id))
    if new is not None:
        return True
    before = db.session.get_one(UsedToken, (hook_id, values["token_hash"]))
    if before.body_hash != values["body_hash"]:
        raise Malformed("The token was used for another post.")
    return False


def sweep(now: datetime) -> None:
    """Forget tokens that are too old to be taken again."""
    db.session.execute(delete(UsedToken).where(UsedToken.at < now - 2 * FRESH))
