"""Letters: queue one to one person, and find the one behind a link."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import cast

from sqlalchemy import Table, or_, select, update

from campaigns.crypto import address_hash, token_hash
from campaigns.db import db, insert
from campaigns.mail.address import Address
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.organisation import first_language
from campaigns.model.staff import Permission, Staff
from config import settings

_LONGEST_TOKEN = 128
# Characters of an occasion that name what it is about.
_LONGEST_NAMES = 84
# What needed somebody yesterday stands on their first page, if it still does.
_ALERT_LASTS = timedelta(days=1)
DELIVERIES = cast(Table, Delivery.__table__)


@dataclass(frozen=True)
class Letter:
    """One letter to one person. `locale` defaults to the recipient's own, then the organisation's.

    `occasion` is the entry, token or alert that causes it: there is one letter for each. One that
    may have been sent in a history that is lost begins as `unknown`. Due at once, or at `due_at`.
    """

    kind: LetterKind
    to: Donor | Staff
    purpose: Purpose
    occasion: str
    locale: str | None = None
    campaign_id: int | None = None
    entry_id: int | None = None
    expires_at: datetime | None = None
    state: DeliveryState = DeliveryState.QUEUED
    due_at: datetime | None = None


def queue(
    kind: LetterKind,
    *,
    to: Donor | Staff,
    purpose: Purpose,
    occasion: str,
    locale: str | None,
    now: datetime,
    campaign_id: int | None = None,
    entry_id: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    """`queue_all` for one letter."""
    letter = Letter(kind, to, purpose, occasion, locale, campaign_id, entry_id, expires_at)
    queue_all([letter], now)


def queue_all(letters: Iterable[Letter], now: datetime) -> None:
    """Write the deliveries of letters, in the caller's transaction: their cause and they are one.

    The second time with the same occasion does nothing, so does a donor without an address.
    Consent and suppression are asked when a letter is claimed.
    """
    ours = cache(first_language)  # asked once, if at all
    rows = [
        _row(letter, digest, letter.locale or letter.to.locale or ours(), now)
        for letter in letters
        if (digest := _hash(letter.to)) is not None
    ]
    if rows:
        db.session.execute(insert(DELIVERIES).on_conflict_do_nothing(), rows)


def alert(what: str, about: int, permission: Permission, now: datetime) -> None:
    """`alert_all` about one thing."""
    alert_all(what, [about], permission, now)


def alert_all(what: str, about: Sequence[int], permission: Permission, now: datetime) -> None:
    """A letter to each member of staff who may do something about it, in their own language.

    `about` are the ids of what the alert is about (campaigns/alerts.py says what they say). The
    second time within the same minute does nothing.
    """
    for staff in db.session.scalars(select(Staff).where(Staff.active)).all():
        if staff.may(permission):
            queue(
                LetterKind.ALERT,
                to=staff,
                purpose=Purpose.SERVICE,
                occasion=f"alert:{what}:{_names(about)}:{now:%Y%m%d%H%M}",
                locale=staff.locale,
                now=now,
                expires_at=now + _ALERT_LASTS,
            )


def call_off(entry_id: int, now: datetime) -> None:
    """Send no letter about an entry any more, unless it is on its way already."""
    unsent = DELIVERIES.c.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED))
    db.session.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.entry_id == entry_id, unsent)
        .values(state=DeliveryState.CANCELLED, settled_at=now)
    )


def behind(token: str) -> Delivery | None:
    """The delivery whose letter carried this token in its links; None for any other text.

    What the token may do depends on the letter's kind: leave, confirm, or set a password.
    """
    if not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    digest = token_hash(token)
    return db.session.scalar(
        select(Delivery).where(
            or_(Delivery.token_hash == digest, Delivery.earlier_token_hash == digest)
        )
    )


def _names(ids: Sequence[int]) -> str:
    """As many as an occasion has room for, and how many there are besides: "12.15.18+7"."""
    names = ""
    for place, id in enumerate(ids):
        longer = f"{names}.{id}" if names else str(id)
        if len(longer) > _LONGEST_NAMES:
            return f"{names}+{len(ids) - place}"
        names = longer
    return names


def _row(letter: Letter, digest: str, locale: str, now: datetime) -> dict[str, object]:
    to = letter.to
    return {
        "letter": letter.kind,
        "occasion": letter.occasion,
        "address_hash": digest,
        "donor_id": to.id if isinstance(to, Donor) else None,
        "staff_id": to.id if isinstance(to, Staff) else None,
        "campaign_id": letter.campaign_id,
        "entry_id": letter.entry_id,
        "purpose": letter.purpose,
        "locale": locale,
        "state": letter.state,
        "due_at": letter.due_at or now,
        "expires_at": letter.expires_at,
        "attempts": 0,
        "created_at": now,
    }


def _hash(to: Donor | Staff) -> str | None:
    if isinstance(to, Donor):
        return to.address_hash if to.address else None
    return address_hash(settings().address_pepper, Address.parse(to.email).text)
