"""Queue one letter; find the one behind a link."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from campaigns import letters
from campaigns.crypto import new_token, token_hash
from campaigns.db import db
from campaigns.model.consent import Purpose
from campaigns.model.delivery import Delivery, DeliveryState, LetterKind
from campaigns.model.donor import Donor
from campaigns.model.staff import Staff
from tests import make
from tests.make import NOON

pytestmark = pytest.mark.usefixtures("app")


def thank(to: Donor | Staff, occasion: str = "entry:7", locale: str | None = None) -> None:
    letters.queue(
        LetterKind.THANKS,
        to=to,
        purpose=Purpose.RECEIPTS,
        occasion=occasion,
        locale=locale,
        now=NOON,
        expires_at=NOON + timedelta(days=3),
    )


def queued() -> list[Delivery]:
    return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


def test_a_letter_is_queued_in_the_language_of_who_gets_it() -> None:
    thank(make.donor(locale="en"))
    [letter] = queued()
    assert letter.state is DeliveryState.QUEUED
    assert letter.locale == "en"
    assert letter.due_at == NOON


def test_who_said_no_language_gets_the_organisations() -> None:
    make.organisation(default_locale="en")
    thank(make.donor(locale=None))
    assert queued()[0].locale == "en"


def test_the_same_occasion_queues_one_letter() -> None:
    donor = make.donor()
    thank(donor)
    thank(donor)
    thank(donor, "entry:8")
    assert [letter.occasion for letter in queued()] == ["entry:7", "entry:8"]


def test_two_people_get_a_letter_each_on_the_same_occasion() -> None:
    thank(make.donor())
    thank(make.donor())
    assert len(queued()) == 2


def test_an_erased_donor_gets_no_letter() -> None:
    thank(make.donor(address=None))
    assert queued() == []


def test_a_member_of_staff_gets_letters_too() -> None:
    thank(make.staff("Lin@Example.org", locale="en"))
    [letter] = queued()
    assert letter.staff_id
    assert letter.donor_id is None


def test_a_token_leads_to_its_letter_and_nothing_else_does() -> None:
    token = new_token()
    letter = make.delivery(token_hash=token_hash(token))
    assert letters.behind(token) is letter
    for other in ("", "x", token[:-1], token + "x", "\udcff", "令牌", "x" * 10_000):
        assert letters.behind(other) is None
