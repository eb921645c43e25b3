"""Merging: two rows of donors are one person, as staff say after seeing what that would move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import aliased

from campaigns import audit, letters, suppression
from campaigns.db import db
from campaigns.model.consent import Consent, ConsentSource, Purpose
from campaigns.model.delivery import Delivery, DeliveryState
from campaigns.model.donor import Donor
from campaigns.model.gift import Gift
from campaigns.model.mailing import Mailing, MailingState
from campaigns.model.merge import Merge
from campaigns.model.organisation import first_language
from campaigns.model.staff import Staff
from campaigns.model.suppression import Suppression, SuppressionCause

# What a person said, whichever of their addresses they said it about. A bounce is the address's.
PERSONAL = (SuppressionCause.LEFT, SuppressionCause.COMPLAINED, SuppressionCause.STAFF)
OPEN = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
WORDING = "merged"


class NotMergeable(ValueError):
    """These two cannot be merged: `why` is "same", "merged", "merged into" or "erased"."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Donors cannot be merged: {why}.")
        self.why = why


class NotMerged(Exception):
    """The merge was undone already."""


@dataclass(frozen=True)
class Said:
    """What a person last said about a purpose, and about which campaign if of one."""

    purpose: Purpose
    campaign_id: int | None
    given: bool


@dataclass(frozen=True)
class Preview:
    """What merging would move: how many gifts are shown with the other row, what was said last
    that the row that stays does not say, causes for which it gets nothing any more, and how many
    letters not yet sent go to its address."""

    gifts: int
    said: tuple[Said, ...]
    causes: tuple[SuppressionCause, ...]
    letters: int


def preview(donor: Donor, into: Donor) -> Preview:
    """What merging `donor` into `into` would move. Raises `NotMergeable`."""
    _check(donor, into)
    gifts = db.session.scalar(select(func.count()).where(Gift.donor_id == donor.id)) or 0
    differ = tuple(Said(one.purpose, one.campaign_id, one.given) for one in _newer(donor, into))
    return Preview(gifts, differ, tuple(_causes(donor, into)), len(_letters(donor, into)))


def merge(donor: Donor, into: Donor, now: datetime, by: Staff) -> Merge:
    """Make `donor` one person with `into`, whose address is written to from now on.

    Gifts and letters sent keep their rows and are shown together. What the person said last
    about each purpose holds, whichever address they said it by; who left with one address has
    left with both. Letters not yet sent go to the row that stays, unless it has them already.
    Raises `NotMergeable`, also the second time.
    """
    for one in sorted((donor, into), key=lambda row: row.id):
        db.session.refresh(one, with_for_update=True)
    _check(donor, into)
    causes, on, twice = _causes(donor, into), _letters(donor, into), _has_already(donor, into)
    said = [_say(into, one, one.given, now) for one in _newer(donor, into)]
    for cause in causes:
        suppression.suppress(into.address_hash or "", cause, now)
    _send_on(on, into)
    _turn(twice, OPEN, DeliveryState.SUPPRESSED, now)
    moved = {"consents": said, "suppressions": causes, "letters": on, "twice": twice}
    donor.merged_into = into.id
    made = Merge(donor_id=donor.id, into_id=into.id, at=now, staff_id=by.id, moved=moved)
    db.session.add(made)
    db.session.flush()
    changes = {"merged_into": (None, into.id)}
    audit.record("merged donor", donor, now, by=by, changes=changes)
    return made


def undo(made: Merge, now: datetime, by: Staff) -> None:
    """They are two people after all. Raises `NotMerged` the second time.

    What the merge wrote is taken back, except where the person said something since; who left
    meanwhile has left with both addresses. Gifts that came since stay where they are.
    """
    donor, into = made.donor, made.into
    for one in sorted((donor, into), key=lambda row: row.id):
        db.session.refresh(one, with_for_update=True)
    if made.undone_at is not None or donor.merged_into != into.id:
        raise NotMerged
    donor.merged_into = None
    _take_back_suppressions(made)
    for id in made.moved["consents"]:
        _unsay(db.session.get_one(Consent, id), now)
    _send_on(_still_open(made), donor)
    _turn(_still_going(made), (DeliveryState.SUPPRESSED,), DeliveryState.QUEUED, None)
    made.undone_at, made.undone_by = now, by.id
    changes = {"merged_into": (into.id, None)}
    audit.record("undid merge", donor, now, by=by, changes=changes)
    db.session.flush()


def of(donor: Donor) -> Sequence[Merge]:
    """The merges that a row is part of, undone ones too, newest first."""
    part = or_(Merge.donor_id == donor.id, Merge.into_id == donor.id)
    return db.session.scalars(select(Merge).where(part).order_by(Merge.id.desc())).all()


def _check(donor: Donor, into: Donor) -> None:
    """No chains and no cycles: a row that was merged or merged into stays as it is."""
    if donor.id == into.id:
        raise NotMergeable("same")
    if donor.merged_into is not None or into.merged_into is not None:
        raise NotMergeable("merged")
    if donor.address is None or into.address is None:
        raise NotMergeable("erased")
    if db.session.scalar(select(Donor.id).where(Donor.merged_into == donor.id).limit(1)):
        raise NotMergeable("merged into")


def _newer(donor: Donor, into: Donor) -> list[Consent]:
    """What `donor` said after `into` said anything about it, and otherwise than stands there."""
    found = []
    for one in _last_said(donor):
        stands = suppression.consents(into.id, one.purpose, one.campaign_id)
        last = _last(into, one)
        if one.given != stands and (last is None or (last.at, last.id) < (one.at, one.id)):
            found.append(one)
    return found


def _last_said(donor: Donor) -> Sequence[Consent]:
    newest = (
        select(func.max(Consent.id))
        .where(Consent.donor_id == donor.id)
        .group_by(Consent.purpose, Consent.campaign_id)
    )
    return db.session.scalars(
        select(Consent).where(Consent.id.in_(newest)).order_by(Consent.id)
    ).all()


def _last(donor: Donor, like: Consent) -> Consent | None:
    return db.session.scalar(
        select(Consent)
        .where(Consent.donor_id == donor.id, Consent.purpose == like.purpose)
        .where(Consent.campaign_id.is_not_distinct_from(like.campaign_id))
        .order_by(Consent.id.desc())
        .limit(1)
    )


def _say(donor: Donor, like: Consent, given: bool, now: datetime) -> int:
    said = Consent(
        donor_id=donor.id,
        purpose=like.purpose,
        campaign_id=like.campaign_id,
        given=given,
        at=now,
        source=ConsentSource.STAFF,
        wording=like.wording if given else WORDING,
        locale=like.locale or donor.locale or first_language(),
    )
    db.session.add(said)
    db.session.flush()
    return said.id


def _unsay(said: Consent, now: datetime) -> None:
    """Say again what stood before the merge said something, unless the person spoke since."""
    donor = db.session.get_one(Donor, said.donor_id)
    newest = _last(donor, said)
    if newest is not None and newest.id == said.id:
        _say(donor, said, not said.given, now)


def _causes(donor: Donor, into: Donor) -> list[SuppressionCause]:
    """Why `donor` left or complained, where that is not known of `into`."""
    known = select(Suppression.cause).where(Suppression.address_hash == into.address_hash)
    return list(
        db.session.scalars(
            select(Suppression.cause)
            .where(Suppression.address_hash == donor.address_hash)
            .where(Suppression.cause.in_(PERSONAL), Suppression.cause.not_in(known))
            .order_by(Suppression.cause)
        )
    )


def _take_back_suppressions(made: Merge) -> None:
    """Lift what the merge added; what came since holds for both."""
    mine = db.session.scalars(
        select(Suppression).where(Suppression.address_hash == made.into.address_hash)
    ).all()
    for one in mine:
        if one.cause in made.moved["suppressions"] and one.at == made.at:
            db.session.delete(one)
        elif one.cause in PERSONAL and one.at >= made.at:
            suppression.suppress(made.donor.address_hash or "", one.cause, one.at)
    db.session.flush()


def _letters(donor: Donor, into: Donor) -> list[int]:
    """The donor's letters not yet sent, but those that the other row has or will get itself.

    Service letters prove whose an address is, so they go nowhere else.
    """
    mine = select(Delivery.id).where(Delivery.donor_id == donor.id, Delivery.state.in_(OPEN))
    sent_on = mine.where(Delivery.purpose != Purpose.SERVICE, ~_same_letter(into).exists())
    return list(db.session.scalars(sent_on.order_by(Delivery.id)))


def _has_already(donor: Donor, into: Donor) -> list[int]:
    """Letters on their way to the row that stays which the person has got at the other address."""
    waiting = select(Delivery.id).where(Delivery.donor_id == into.id)
    got = _same_letter(donor, DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)
    still = waiting.where(Delivery.state.in_(OPEN), got.exists())
    return list(db.session.scalars(still.order_by(Delivery.id)))


def _same_letter(of: Donor, *states: DeliveryState) -> Select[int]:
    """A donor's own delivery of the letter that the statement is about."""
    theirs = aliased(Delivery)
    same = (
        select(theirs.id)
        .where(theirs.address_hash == of.address_hash, theirs.occasion == Delivery.occasion)
        .where(theirs.mailing_id.is_not_distinct_from(Delivery.mailing_id))
        .correlate(Delivery)
    )
    return same.where(theirs.state.in_(states)) if states else same


def _still_open(made: Merge) -> list[int]:
    """Of the letters sent on those that are not sent yet."""
    moved = select(Delivery.id).where(Delivery.id.in_(made.moved["letters"]))
    return list(db.session.scalars(moved.where(~_same_letter(made.donor).exists())))


def _still_going(made: Merge) -> list[int]:
    """Of the letters kept back those whose mailing still goes out."""
    going = select(Mailing.id).where(Mailing.state == MailingState.SENDING)
    kept = select(Delivery.id).where(Delivery.id.in_(made.moved["twice"]))
    return list(db.session.scalars(kept.where(Delivery.mailing_id.in_(going))))


def _send_on(ids: Sequence[int], to: Donor) -> None:
    """Letters that a process has in its hands just now stay where they are."""
    rows = letters.DELIVERIES
    db.session.execute(
        update(rows)
        .where(rows.c.id.in_(ids), rows.c.state.in_(OPEN))
        .values(donor_id=to.id, address_hash=to.address_hash)
    )


def _turn(
    ids: Sequence[int], before: Sequence[DeliveryState], after: DeliveryState, at: datetime | None
) -> None:
    rows = letters.DELIVERIES
    db.session.execute(
        update(rows)
        .where(rows.c.id.in_(ids), rows.c.state.in_(before))
        .values(state=after, settled_at=at)
    )
