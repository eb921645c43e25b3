"""Showing: what of a gift the public sees, its giver's name and their message."""

import re
import unicodedata
from datetime import datetime

from campaigns import audit
from campaigns.db import db
from campaigns.model.gift import Gift, Moderation
from campaigns.model.staff import Staff

LONGEST_NAME = 40  # characters, of one that its giver writes
# What names have no use for and advertisements live by: addresses, links, numbers to call.
_NO_NAME = re.compile(r"[@/\\:<>]|www\.|\d{5}", re.IGNORECASE)


class NoMessage(ValueError):
    """There is no message to show."""


class BadName(ValueError):
    """What its giver wrote cannot stand in public as a name."""


def readable_name(typed: str) -> str:
    """A name that a giver wrote, in one line; nobody looks at it before it is public.

    Raises `BadName` where it is empty, long, or holds what no name has.
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or _NO_NAME.search(name):
        raise BadName
    return name


def name(gift: Gift, public_name: str | None, now: datetime, by: Staff | None) -> None:
    """Show the gift under a name, or anonymously for None. The second time changes nothing.

    `by` is None where its giver wishes it.
    """
    shown = public_name is not None
    if (gift.show_name, shown and gift.public_name) == (shown, public_name or False):
        return
    changes: dict[str, tuple[object, object]] = {"show_name": (gift.show_name, shown)}
    if public_name is not None and gift.public_name != public_name:
        changes["public_name"] = (gift.public_name, public_name)
        gift.public_name = public_name
    gift.show_name = shown
    audit.record("changed public name", gift.entry, now, by=by, changes=changes)
    db.session.flush()


def message(gift: Gift, moderation: Moderation, now: datetime, by: Staff) -> None:
    """Show or hide a gift's message. The second time changes nothing. Raises `NoMessage`."""
    if not gift.message:
        raise NoMessage
    if gift.moderation is moderation:
        return
    changes = {"moderation": (gift.moderation, moderation)}
    gift.moderation = moderation
    audit.record("looked at message", gift.entry, now, by=by, changes=changes)
    db.session.flush()
