"""Settling: notices that wait for a person, those alike, and the rules that persons made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from campaigns import audit, bookings, told
from campaigns.db import db
from campaigns.model.endpoint import WebhookEndpoint
from campaigns.model.entry import Entry
from campaigns.model.listing import Listing
from campaigns.model.notice import Notice, Verdict
from campaigns.model.placement import PlacedBy, Placement
from campaigns.model.staff import Staff
from campaigns.platforms.base import Movement, NoticeError
from campaigns.suggestions import Named

# How many of the waiting notices are looked at for those alike, and how many settled at once.
LOOKED_AT = 5000
AT_ONCE = 300


class BadRule(ValueError):
    """The rule fits everything or nothing."""


@dataclass(frozen=True)
class Item:
    """A notice that waits, and what it tells of; `unread` is why that cannot be read."""

    notice: Notice
    endpoint: WebhookEndpoint
    movements: tuple[Movement, ...]
    unread: str | None = None

    @property
    def is_sum(self) -> bool:
        """Whether it tells all that was refunded so far."""
        return any(movement.cumulative for movement in self.movements)

    @property
    def named(self) -> Named:
        """Of several movements the first's."""
        source = self.endpoint.source
        if not self.movements:
            return Named(source)
        first = self.movements[0]
        order = next((key.value for key in first.keys if key.scheme == "order"), None)
        regards = ":".join(first.refunds) if first.refunds else None
        return Named(source, order, first.passed or first.campaign_ref, regards)


def items(notices: Iterable[Notice], now: datetime) -> list[Item]:
    """What these notices tell of."""
    return [_item(notice, now) for notice in notices]


def held(item: Item) -> tuple[list[Entry], bool]:
    """What the ledger has under the numbers that a notice gives, and true; or false and what it has
    about the same donations under others, one of which it may be (`twins.of`).

    To a sum so far belongs all that was refunded, under whatever numbers.
    """
    source = item.endpoint.source
    keys = [key for movement in item.movements for key in movement.keys]
    found = bookings.holding(source, keys) if keys else []
    if item.is_sum:
        return sorted({*found, *_about(item)}, key=lambda entry: entry.id), True
    if found or item.notice.verdict is not Verdict.CONFLICT:
        return found, True
    return _about(item), False


def alike(item: Item, by: PlacedBy, text: str, now: datetime) -> list[Notice]:
    """The unmatched notices of the same source that a rule of this text would place, this one
    among them; at most `AT_ONCE` at once, the oldest first."""
    waiting = db.session.scalars(
        select(Notice)
        .join(WebhookEndpoint, WebhookEndpoint.id == Notice.endpoint_id)
        .where(Notice.verdict == Verdict.UNMATCHED)
        .where(WebhookEndpoint.source == item.endpoint.source)
        .order_by(Notice.id)
        .limit(LOOKED_AT)
    )
    found = [one.notice for one in items(waiting, now) if _fits(one.named, by, text)]
    return found[:AT_ONCE]


def remember(
    source: str, by: PlacedBy, text: str, listing: Listing, now: datetime, staff: Staff
) -> Placement:
    """From now on money of the source that this text fits belongs to the listing.

    A rule of the same text is changed; the same a second time changes nothing. Raises `BadRule`.
    """
    if not text.strip() or len(text) > 200:
        raise BadRule
    rule = db.session.scalar(
        select(Placement)
        .where(Placement.source == source, Placement.by == by, Placement.text == text)
        .with_for_update()
    )
    before = rule.listing_id if rule else None
    if rule is None:
        rule = Placement(source=source, by=by, text=text, created_at=now)
    if before != listing.id:
        rule.listing_id, rule.staff_id = listing.id, staff.id
        db.session.add(rule)
        db.session.flush()
        changes = {"text": (None, f"{source} {by} {text}"), "listing": (before, listing.id)}
        audit.record("made rule", rule, now, by=staff, changes=changes)
    return rule


def forget(rule: Placement, now: datetime, staff: Staff) -> None:
    """Place nothing more by this rule; what it placed stays."""
    text = f"{rule.source} {rule.by} {rule.text}"
    changes = {"text": (text, None), "listing": (rule.listing_id, None)}
    audit.record("deleted rule", rule, now, by=staff, changes=changes)
    db.session.delete(rule)
    db.session.flush()


def rules() -> Sequence[Placement]:
    """Every rule, by source."""
    order = Placement.source, Placement.by, Placement.text
    return db.session.scalars(select(Placement).order_by(*order)).all()


def _item(notice: Notice, now: datetime) -> Item:
    endpoint = db.session.get_one(WebhookEndpoint, notice.endpoint_id)
    try:
        return Item(notice, endpoint, tuple(told.by(notice)))
    except NoticeError as error:
        return Item(notice, endpoint, (), str(error))


def _about(item: Item) -> list[Entry]:
    """What of the same kinds the ledger has about the donations that a notice is about."""
    regards = [":".join(movement.refunds) for movement in item.movements if movement.refunds]
    kinds = {movement.kind for movement in item.movements}
    about = (
        select(Entry)
        .where(Entry.source == item.endpoint.source, Entry.regards.in_(regards))
        .where(Entry.kind.in_(kinds))
        .order_by(Entry.id)
    )
    return [entry for entry in db.session.scalars(about) if entry.reverses is None]


def _fits(named: Named, by: PlacedBy, text: str) -> bool:
    if by is PlacedBy.REF:
        return named.ref == text
    return bool(text) and (named.order or "").startswith(text)
