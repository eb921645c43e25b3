"""Letters: queue one to one person, and find the one behind a link."""

from datetime import datetime, timedelta
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
# What needed somebody yesterday stands on their first page, if it still does.
_ALERT_LASTS = timedelta(days=1)
DELIVERIES = cast(Table, Delivery.__table__)


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
    """Write the delivery of one letter, in the caller's transaction: its cause and it are one.

    The second time with the same occasion does nothing, so does a donor without an address.
    Consent and suppression are asked when the letter is claimed. `locale` defaults to the
    recipient's own, then the organisation's.
    """
    digest = _hash(to)
    if digest is None:
        return
    db.session.execute(
        insert(DELIVERIES)
        .values(
            letter=kind,
            occasion=occasion,
            address_hash=digest,
            donor_id=to.id if isinstance(to, Donor) else None,
            staff_id=to.id if isinstance(to, Staff) else None,
            campaign_id=campaign_id,
            entry_id=entry_id,
            purpose=purpose,
            locale=locale or to.locale or first_language(),
            state=DeliveryState.QUEUED,
            due_at=now,
            expires_at=expires_at,
            attempts=0,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )


def alert(what: str, about: int, permission: Permission, now: datetime) -> None:
    """A letter to each member of staff who may do something about it, in their own language.

    `about` is the id of what the alert is about (campaigns/alerts.py says what they say). The
    second time within the same minute does nothing.
    """
    for staff in db.session.scalars(select(Staff).where(Staff.active)).all():
        if staff.may(permission):
            queue(
                LetterKind.ALERT,
                to=staff,
                purpose=Purpose.SERVICE,
                occasion=f"alert:{what}:{about}:{now:%Y%m%d%H%M}",
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


def _hash(to: Donor | Staff) -> str | None:
    if isinstance(to, Donor):
        return to.address_hash if to.address else None
    return address_hash(settings().address_pepper, Address.parse(to.email).text)
