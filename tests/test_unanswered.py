"""Addresses that nobody confirmed: forgotten after a month, and nobody else is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from campaigns import claiming_gifts, donors, following, givers, suppression, tagging, unanswered
from campaigns.db import db
from campaigns.mail.address import Address
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.gift import Gift
from campaigns.model.merge import Merge
from campaigns.model.suppression import SuppressionCause
from tests import make
from tests.make import NOON

ADA = Address.parse("ada@example.org")
LATER = NOON + timedelta(days=30, minutes=1)


@pytest.fixture(autouse=True)
def asked(app: Flask) -> Donor:
    """Somebody typed Ada's address into the form for the newsletter, and a letter was sent."""
    make.organisation()
    return typed(NOON)


def typed(at: datetime) -> Donor:
    following.ask(None, ADA, "en", at)
    db.session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=at))
    db.session.commit()
    db.session.expire_all()
    donor = donors.at(ADA)
    assert donor
    return donor


def address(of: Donor, at: datetime = LATER) -> str | None:
    unanswered.sweep(at)
    db.session.commit()
    db.session.expire_all()
    return of.address


def test_an_address_that_nobody_confirmed_is_gone_after_a_month(asked: Donor) -> None:
    assert address(asked, NOON + timedelta(days=30)) == ADA.text
    assert address(asked) is None
    assert (asked.address_hash, asked.locale) == (None, None)
    assert unanswered.sweep(LATER + timedelta(days=1)) == 0
    assert list(db.session.scalars(givers.matching(""))) == []


def test_who_signs_up_again_is_somebody_new_and_confirms(asked: Donor) -> None:
    address(asked)
    again = typed(LATER)
    assert again.id != asked.id
    letter = db.session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    following.confirm(letter, LATER)
    assert suppression.consents(again.id, Purpose.NEWSLETTER, None)
    assert address(again, LATER + timedelta(days=40)) == ADA.text


def test_what_was_claimed_and_never_confirmed_goes_with_its_address(asked: Donor) -> None:
    bo = Address.parse("bo@example.org")
    claiming_gifts.ask(make.campaign(), "4711", bo, "en", NOON)
    db.session.execute(update(Delivery).values(state=DeliveryState.EXPIRED))
    donor = donors.at(bo)
    assert donor
    assert address(donor) == bo.text
    claiming_gifts.sweep(LATER)
    assert address(donor) is None


def confirmed(donor: Donor) -> None:
    following.confirm(db.session.scalars(select(Delivery)).one(), NOON)


def gave(donor: Donor) -> None:
    db.session.add(Gift(entry_id=1, donor_id=donor.id))


def got_thanks(donor: Donor) -> None:
    db.session.execute(update(Delivery).values(letter=LetterKind.THANKS))


def left(donor: Donor) -> None:
    suppression.suppress(donor.address_hash or "", SuppressionCause.LEFT, NOON)


def asked_again(donor: Donor) -> None:
    typed(LATER - timedelta(days=3))


def is_written_to(donor: Donor) -> None:
    db.session.execute(update(Delivery).values(state=DeliveryState.QUEUED))


def has_a_tag(donor: Donor) -> None:
    tagging.add([donor.id], ["press"])


def has_a_name(donor: Donor) -> None:
    donor.name = "Ada"


def was_merged(donor: Donor) -> None:
    other = make.donor()
    db.session.add(Merge(donor_id=other.id, into_id=donor.id, at=NOON, moved={}))


def came_by_a_file(donor: Donor) -> None:
    make.consent(donor, wording="contacts:1")


@pytest.mark.parametrize(
    "known",
    [
        confirmed,
        gave,
        got_thanks,
        left,
        asked_again,
        is_written_to,
        has_a_tag,
        has_a_name,
        was_merged,
        came_by_a_file,
    ],
)
def test_whoever_is_known_otherwise_is_not_touched(
    asked: Donor, known: Callable[[Donor], None]
) -> None:
    known(asked)
    db.session.commit()
    assert address(asked) == ADA.text


def erased(donor: Donor, at: datetime) -> None:
    suppression.suppress(donor.address_hash or "", SuppressionCause.LEFT, at)
    donor.address, donor.erased_at = None, at
    db.session.commit()


def test_who_was_erased_is_not_brought_back_by_whoever_types_their_address(asked: Donor) -> None:
    erased(asked, NOON)
    assert typed(NOON + timedelta(minutes=1)).address == ADA.text
    assert address(asked, LATER + timedelta(minutes=1)) is None
    assert suppression.forbids(asked.address_hash or "", Purpose.NEWSLETTER)


def test_who_came_back_after_erasure_and_confirmed_stays(asked: Donor) -> None:
    erased(asked, NOON - timedelta(days=1))
    typed(NOON)
    letter = db.session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    following.confirm(letter, NOON)
    assert address(asked) == ADA.text


def test_each_minute_looks_at_other_rows(asked: Donor, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        make.donor()
    monkeypatch.setattr(unanswered, "SLICE", asked.id + 1)
    moments = [LATER + timedelta(minutes=one) for one in range(db.session.query(Donor).count())]
    assert sum(unanswered.sweep(moment) for moment in moments) == 1
