"""Showing: what of a gift the public sees, its giver's name and their message."""

from datetime import datetime

from campaigns import audit
from campaigns.db import db
from campaigns.model.gift import Gift, Moderation
from campaigns.model.staff import Staff


class NoMessage(ValueError):
    """There is no message to show."""


def name(gift: Gift, public_name: str | None, now: datetime, by: Staff) -> None:
    """Show the gift under a name, or anonymously for None. The second time changes nothing."""
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
